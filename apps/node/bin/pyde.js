#!/usr/bin/env node
import { launch } from '../../../scripts/launch.js';

await launch('pyde', import.meta.url);
