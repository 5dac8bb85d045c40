#!/usr/bin/env node
import { launch } from '../../scripts/launch.js';

await launch('otigen', import.meta.url);
