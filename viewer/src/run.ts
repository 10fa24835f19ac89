// One episode: where every mover is at any time, the state of everything, and its story.

import type { CityHeader, Numbers, Replay, RunHeader } from "./unpack";

const HIDDEN = 255;

export interface Place {
  x: number; // metres from the left of the city
  y: number; // metres from its bottom
  heading: number; // radians, of a mover on its way
  moving: boolean;
}

export interface StoryEvent {
  time: number;
  mover: number;
  site: number;
  text: string;
}

export class Run {
  readonly time: Numbers;
  readonly movers: number;
  readonly sites: number;
  readonly siteX: Float64Array;
  readonly siteY: Float64Array;
  readonly events: StoryEvent[];
  readonly links: Numbers;
  private readonly legsOf: number[][];
  private readonly nodeX: Float64Array;
  private readonly nodeY: Float64Array;

  constructor(
    readonly header: RunHeader,
    private readonly arrays: Map<string, Numbers>,
    private readonly prefix: string,
    city: CityHeader,
    nodes: { x: Float64Array; y: Float64Array },
  ) {
    this.time = this.array("time");
    this.movers = this.array("mover_start").length;
    this.sites = this.array("site_x").length;
    this.nodeX = nodes.x;
    this.nodeY = nodes.y;
    const metres = (value: number) => (value / 65535) * city.side_m;
    this.siteX = Float64Array.from(this.array("site_x"), metres);
    this.siteY = Float64Array.from(this.array("site_y"), metres);
    this.links = this.array("links");
    this.legsOf = Array.from({ length: this.movers }, () => []);
    this.array("leg_mover").forEach((mover: number, leg: number) => this.legsOf[mover].push(leg));
    const [times, ofMover, ofSite, texts] = ["time", "mover", "site", "text"].map((name) => this.array(`event_${name}`));
    this.events = Array.from(times, (time, at) => ({
      time,
      mover: ofMover[at],
      site: ofSite[at],
      text: this.worded(header.texts[texts[at]], ofMover[at], ofSite[at]),
    }));
  }

  get end(): number {
    return this.time[this.time.length - 1];
  }

  array(name: string): Numbers {
    const found = this.arrays.get(`${this.prefix}.${name}`);
    if (!found) throw new Error(`the replay has no ${this.prefix}.${name}`);
    return found;
  }

  series(name: string): Numbers {
    return this.array(`series.${name}`);
  }

  /** The last epoch that has begun. */
  epoch(time: number): number {
    let low = 0;
    let high = this.time.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.time[middle] <= time + 1e-9) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The number of the leg that a mover is on or has driven last; -1 before its first. */
  private leg(mover: number, time: number): number {
    const legs = this.legsOf[mover];
    const first = this.array("leg_first");
    const at = this.array("leg_at");
    let found = -1;
    for (const leg of legs) {
      if (at[first[leg]] / 10 > time + 1e-9) break;
      found = leg;
    }
    return found;
  }

  place(mover: number, time: number): Place {
    const leg = this.leg(mover, time);
    const node = this.array("leg_node");
    if (leg < 0) return this.standing(this.array("mover_start")[mover]);
    const [from, to] = this.span(leg);
    const at = this.array("leg_at");
    const tenths = time * 10;
    if (tenths >= at[to - 1]) return this.standing(node[to - 1]);
    let next = from + 1;
    while (at[next] <= tenths) next++;
    const share = (tenths - at[next - 1]) / Math.max(at[next] - at[next - 1], 1e-9);
    const [ax, ay, bx, by] = [
      this.nodeX[node[next - 1]],
      this.nodeY[node[next - 1]],
      this.nodeX[node[next]],
      this.nodeY[node[next]],
    ];
    return { x: ax + (bx - ax) * share, y: ay + (by - ay) * share, heading: Math.atan2(by - ay, bx - ax), moving: true };
  }

  /** The way that a mover still has to drive, from its place on. */
  ahead(mover: number, time: number): [number, number][] {
    const leg = this.leg(mover, time);
    if (leg < 0) return [];
    const [from, to] = this.span(leg);
    const at = this.array("leg_at");
    const node = this.array("leg_node");
    const here = this.place(mover, time);
    const way: [number, number][] = [[here.x, here.y]];
    for (let next = from; next < to; next++) {
      if (at[next] > time * 10) way.push([this.nodeX[node[next]], this.nodeY[node[next]]]);
    }
    return way;
  }

  /** The mark of a mover: what it does, and driving as long as it is on its way. */
  moverState(mover: number, time: number, moving: boolean): number {
    const states = this.array("mover_state");
    const epoch = this.epoch(time);
    const now = states[epoch * this.movers + mover];
    if (this.drives(now) === moving) return now;
    const next = states[Math.min(epoch + 1, this.time.length - 1) * this.movers + mover];
    return this.drives(next) === moving ? next : now;
  }

  /** The mark of a site; null while it is not there. */
  siteState(site: number, time: number): number | null {
    const state = this.array("site_state")[this.epoch(time) * this.sites + site];
    return state === HIDDEN ? null : state;
  }

  siteSize(site: number, time: number): number {
    return this.array("site_size")[this.epoch(time) * this.sites + site] / 255;
  }

  /** When the state of a site last changed, in seconds. */
  siteSince(site: number, time: number): number {
    const states = this.array("site_state");
    let epoch = this.epoch(time);
    const now = states[epoch * this.sites + site];
    while (epoch > 0 && states[(epoch - 1) * this.sites + site] === now) epoch--;
    return this.time[epoch];
  }

  name(kind: "mover" | "site", number: number): string {
    return `${kind === "mover" ? this.header.mover_word : this.header.site_word} ${number}`;
  }

  story(kind: "mover" | "site", number: number): StoryEvent[] {
    return this.events.filter((event) => event[kind] === number);
  }

  private drives(state: number): boolean {
    const { name } = this.header.mover_marks[state];
    return name === "driving" || name === "freed";
  }

  private span(leg: number): [number, number] {
    const first = this.array("leg_first");
    return [first[leg], first[leg + 1]];
  }

  private standing(node: number): Place {
    return { x: this.nodeX[node], y: this.nodeY[node], heading: 0, moving: false };
  }

  private worded(text: string, mover: number, site: number): string {
    return text.replace("{mover}", this.name("mover", mover)).replace("{site}", this.name("site", site));
  }
}

export interface City {
  header: CityHeader;
  x: Float64Array;
  y: Float64Array;
  streets: Numbers; // pairs of nodes, the quietest first
  classes: Numbers;
}

export function cityOf(replay: Replay): City {
  const metres = (value: number) => (value / 65535) * replay.city.side_m;
  const array = (name: string) => replay.arrays.get(`city.${name}`)!;
  return {
    header: replay.city,
    x: Float64Array.from(array("x"), metres),
    y: Float64Array.from(array("y"), metres),
    streets: array("streets"),
    classes: array("classes"),
  };
}
