/** Metrics that are read when somebody looks, so that watching an idle node costs it nothing. */
import { Counter, Gauge, type Registry } from 'prom-client';

/** A value, or undefined where there is none now. */
export type Read = () => number | undefined;
/** Values by label; those that are not named any more are gone. */
export type ReadMany = () => Iterable<readonly [label: string, value: number]>;

export function readGauge(registry: Registry, name: string, help: string, read: Read): void {
  const gauge: Gauge = new Gauge({
    name,
    help,
    registers: [registry],
    collect: () => {
      const value = read();
      if (value === undefined) gauge.remove();
      else gauge.set(value);
    },
  });
}

export function readGauges(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  read: ReadMany,
): void {
  const gauge: Gauge = new Gauge({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect: () => {
      gauge.reset();
      for (const [value, count] of read()) gauge.set({ [label]: value }, count);
    },
  });
}

export function readCounter(registry: Registry, name: string, help: string, read: Read): void {
  const counter: Counter = new Counter({
    name,
    help,
    registers: [registry],
    collect: () => {
      counter.reset();
      counter.inc(read() ?? 0);
    },
  });
}

export function readCounters(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  read: ReadMany,
): void {
  const counter: Counter = new Counter({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect: () => {
      counter.reset();
      for (const [value, count] of read()) counter.inc({ [label]: value }, count);
    },
  });
}
