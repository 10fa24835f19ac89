// Unpacks the format "replay"; src/crowdgym/player/packing.py describes and writes it.

export type Numbers = Uint8Array | Uint16Array | Int32Array | Uint32Array | Float64Array;

export interface Mark {
  name: string;
  meaning: string;
  place: "free" | "way" | "site";
  face: string;
  edge: string;
  edge_px: number;
  size_px: number;
  outline: [number, number][];
}

export interface RunHeader {
  title: string;
  agent: string;
  time: "seconds" | "cycles";
  mover_word: string;
  site_word: string;
  group_word: string;
  sites_heading: string;
  site_names: string[];
  mover_marks: Mark[];
  site_marks: Mark[];
  link_marks: Mark[];
  usual_marks: number;
  trails: boolean;
  series: string[];
  curves: string[];
  texts: string[];
  spans: { names: string[]; colours: string[]; group_names: string[] } | null;
  table: { title: string; rows: string[]; columns: string[] } | null;
}

export interface CityHeader {
  left_m: number;
  bottom_m: number;
  side_m: number;
  street_colours: string[];
  street_widths: number[];
  area_colours: string[];
}

/** What pictures in Python and the player have in common. */
export interface Looks {
  paper: string;
  outside: string;
  ink: string;
  way: string;
  outline_face: string;
  outline_edge: string;
  outline_gap_px: number;
  largest_px: number; // radius of a site with size 1; areas are in proportion
  smallest_px: number;
  fades_s: number; // a site that has ended fades out over this long
  crowd: number; // as many movers at one place, or more, are one mark with their number
  same_place_px: number;
  crew_gap_px: number;
  crew_step_px: number;
  spread_px: number;
  critical_grows: number;
}

interface Described {
  name: string;
  type: string;
  shape: number[];
  delta: boolean;
}

export interface Replay {
  city: CityHeader;
  looks: Looks;
  runs: RunHeader[];
  arrays: Map<string, Numbers>;
}

const FORMAT_VERSION = 2;
const KINDS: Record<string, new (buffer: ArrayBuffer, offset: number, length: number) => Numbers> = {
  u1: Uint8Array,
  u2: Uint16Array,
  i4: Int32Array,
  u4: Uint32Array,
  f8: Float64Array,
};
const BYTES: Record<string, number> = { u1: 1, u2: 2, i4: 4, u4: 4, f8: 8 };

export async function unpack(base64: string): Promise<Replay> {
  const packed = Uint8Array.from(atob(base64.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const buffer = await new Response(stream).arrayBuffer();
  const size = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  if (header.format !== "crowdgym-replay" || header.format_version !== FORMAT_VERSION) {
    const got = `${header.format} ${header.format_version}`;
    throw new Error(`this player reads crowdgym-replay version ${FORMAT_VERSION}, got ${got}`);
  }
  const arrays = new Map<string, Numbers>();
  let at = 4 + size;
  for (const of of header.arrays as Described[]) {
    const length = of.shape.reduce((product, next) => product * next, 1);
    const bytes = length * BYTES[of.type];
    const array = new KINDS[of.type](buffer.slice(at, at + bytes), 0, length);
    if (of.delta) {
      undoDifferences(array, of.shape.slice(1).reduce((product, next) => product * next, 1));
    }
    arrays.set(of.name, array);
    at += Math.ceil(bytes / 8) * 8;
  }
  return { city: header.city, looks: header.looks, runs: header.runs, arrays };
}

function undoDifferences(array: Numbers, width: number): void {
  for (let at = width; at < array.length; at++) {
    array[at] += array[at - width]; // wraps around, as the differences do
  }
}
