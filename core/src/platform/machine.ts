/**
 * The shape of every long-lived part of core (design/architecture.md, "Core is sans-I/O"): events
 * and the time go in, effects come out. Effects are carried out in order, and a `persist` is
 * complete before anything after it is sent; that rule is what keeps a crash from equivocating.
 */
import type { Instant } from './clock.ts';

export interface Machine<Event, Effect> {
  step(event: Event, now: Instant): Effect[];
}
