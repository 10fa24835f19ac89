// Movers at one place: which belong together, and where they stand around a site.

import type { Point } from "./marks";
import type { Looks } from "./unpack";

/** Those with the same key, together. */
export function crowds<Item>(items: Item[], key: (item: Item) => string): Iterable<Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return groups.values();
}

/** Where movers stand around the disc of their site: side by side above it, in rings. */
export function ring(count: number, radius: number, looks: Looks, enlarged: number): Point[] {
  const step = looks.crew_step_px * enlarged;
  const places: Point[] = [];
  let distance = radius + looks.crew_gap_px * enlarged;
  while (places.length < count) {
    const room = Math.floor((2 * Math.PI * distance) / step);
    const here = Math.min(room, count - places.length);
    for (let at = 0; at < here; at++) {
      const angle = Math.PI / 2 - ((at - (here - 1) / 2) * step) / distance;
      places.push([distance * Math.cos(angle), distance * Math.sin(angle)]);
    }
    distance += step;
  }
  return places;
}
