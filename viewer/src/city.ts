// What does not move: streets by class, land, greens and water.

import type { CityHeader, Numbers, Replay } from "./unpack";

export interface Area {
  kind: number; // 0 land, 1 green, 2 water
  x: number[];
  y: number[];
}

export interface City {
  header: CityHeader;
  x: Float64Array; // metres from the left of the city
  y: Float64Array; // metres from its bottom
  streets: Numbers; // pairs of nodes, the quietest first
  classes: Numbers;
  areas: Area[];
}

export function cityOf(replay: Replay): City {
  const metres = (value: number) => (value / 65535) * replay.city.side_m;
  const array = (name: string) => replay.arrays.get(`city.${name}`)!;
  const [kinds, first, areaX, areaY] = ["area_kind", "area_first", "area_x", "area_y"].map(array);
  return {
    header: replay.city,
    x: Float64Array.from(array("x"), metres),
    y: Float64Array.from(array("y"), metres),
    streets: array("streets"),
    classes: array("classes"),
    areas: Array.from(kinds, (kind, at) => ({
      kind,
      x: Array.from(areaX.subarray(first[at], first[at + 1]), metres),
      y: Array.from(areaY.subarray(first[at], first[at + 1]), metres),
    })),
  };
}
