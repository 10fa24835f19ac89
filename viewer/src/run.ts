// One episode: where every mover is at any time, the state of everything, and its story.

import type { City } from "./city";
import type { CityHeader, Numbers, RunHeader } from "./unpack";

const HIDDEN = 255;
const NEVER = -1;

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

export interface Picked {
  kind: "mover" | "site";
  number: number;
}

export class Run {
  readonly time: Numbers;
  readonly movers: number;
  readonly sites: number;
  readonly siteX: Float64Array;
  readonly siteY: Float64Array;
  readonly siteGroup: Numbers;
  readonly events: StoryEvent[];
  readonly links: Numbers;
  readonly linkCritical: Numbers;
  private readonly moverStates: Numbers;
  private readonly siteStates: Numbers;
  private readonly siteSizes: Numbers;
  private readonly siteEnd: Numbers;
  private readonly linkStates: Numbers;
  private readonly start: Numbers;
  private readonly legsOf: number[][];
  private readonly legSite: Numbers;
  private readonly legFirst: Numbers;
  private readonly legNode: Numbers;
  private readonly legAt: Numbers; // tenths of a second

  constructor(
    readonly header: RunHeader,
    private readonly arrays: Map<string, Numbers>,
    private readonly prefix: string,
    frame: CityHeader,
    private readonly city: City,
  ) {
    this.time = this.array("time");
    this.start = this.array("mover_start");
    [this.movers, this.sites] = [this.start.length, this.array("site_x").length];
    const metres = (value: number) => (value / 65535) * frame.side_m;
    this.siteX = Float64Array.from(this.array("site_x"), metres);
    this.siteY = Float64Array.from(this.array("site_y"), metres);
    this.siteGroup = this.array("site_group");
    this.siteEnd = this.array("site_end");
    this.links = this.array("links");
    this.linkCritical = this.array("link_critical");
    [this.moverStates, this.siteStates] = [this.array("mover_state"), this.array("site_state")];
    [this.siteSizes, this.linkStates] = [this.array("site_size"), this.array("link_state")];
    [this.legFirst, this.legNode] = [this.array("leg_first"), this.array("leg_node")];
    [this.legAt, this.legSite] = [this.array("leg_at"), this.array("leg_site")];
    this.legsOf = Array.from({ length: this.movers }, () => []);
    this.array("leg_mover").forEach((mover: number, leg: number) => this.legsOf[mover].push(leg));
    this.events = this.readEvents();
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
    return lastUpTo(this.time.length, (at) => this.time[at], time);
  }

  /** Where a mover is. */
  place(mover: number, time: number): Place {
    const leg = this.leg(mover, time);
    if (leg < 0) return this.standing(this.start[mover]);
    const [from, to, tenths] = [this.legFirst[leg], this.legFirst[leg + 1], time * 10];
    if (tenths >= this.legAt[to - 1]) return this.standing(this.legNode[to - 1]);
    const before = from + lastUpTo(to - from, (at) => this.legAt[from + at], tenths);
    const share = (tenths - this.legAt[before]) / Math.max(this.legAt[before + 1] - this.legAt[before], 1e-9);
    const { x, y } = this.city;
    const [a, b] = [this.legNode[before], this.legNode[before + 1]];
    const [dx, dy] = [x[b] - x[a], y[b] - y[a]];
    return { x: x[a] + dx * share, y: y[a] + dy * share, heading: Math.atan2(dy, dx), moving: true };
  }

  /** Calls back for each place of the way that a mover still has to drive, without its present one. */
  ahead(mover: number, time: number, visit: (x: number, y: number) => void): void {
    const leg = this.leg(mover, time);
    if (leg < 0) return;
    const [from, to] = [this.legFirst[leg], this.legFirst[leg + 1]];
    const next = from + lastUpTo(to - from, (at) => this.legAt[from + at], time * 10) + 1;
    for (let at = next; at < to; at++) visit(this.city.x[this.legNode[at]], this.city.y[this.legNode[at]]);
  }

  /** Where the way of a mover began on which it is, or which it has just ended; null if that is longer ago. */
  cameFrom(mover: number, time: number, patience: number): { x: number; y: number } | null {
    const leg = this.leg(mover, time);
    if (leg < 0 || time * 10 > this.legAt[this.legFirst[leg + 1] - 1] + 10 * patience) return null;
    const node = this.legNode[this.legFirst[leg]];
    return { x: this.city.x[node], y: this.city.y[node] };
  }

  /** The site that a mover drives to or is at, by its last way; -1 for none. */
  siteOf(mover: number, time: number): number {
    const leg = this.leg(mover, time);
    return leg < 0 ? -1 : this.legSite[leg];
  }

  /** The mark of a mover: what it does, and driving as long as it is on its way. */
  moverState(mover: number, time: number, moving: boolean, epoch = this.epoch(time)): number {
    const now = this.moverStates[epoch * this.movers + mover];
    if (this.drives(now) === moving) return now;
    const next = this.moverStates[Math.min(epoch + 1, this.time.length - 1) * this.movers + mover];
    return this.drives(next) === moving ? next : now;
  }

  /** The mark of a site; null while it is not there. */
  siteState(site: number, time: number, epoch = this.epoch(time)): number | null {
    const state = this.siteStates[epoch * this.sites + site];
    return state === HIDDEN ? null : state;
  }

  /** The mark of a link; null while it is not shown. */
  linkState(link: number, epoch: number): number | null {
    const state = this.linkStates[(epoch * this.links.length) / 2 + link];
    return state === HIDDEN ? null : state;
  }

  /** Whether a site is there at any time: an episode may have fewer than it has room for. */
  isEver(site: number): boolean {
    for (let at = site; at < this.siteStates.length; at += this.sites) if (this.siteStates[at] !== HIDDEN) return true;
    return false;
  }

  siteSize(site: number, epoch: number): number {
    return this.siteSizes[epoch * this.sites + site] / 255;
  }

  /** How long ago a site ended; 0 before. */
  siteAge(site: number, time: number): number {
    return this.siteEnd[site] === NEVER ? 0 : Math.max(time - this.siteEnd[site] / 10, 0);
  }

  tally(kind: "mover" | "site", epoch: number): Map<number, number> {
    const [states, count] = kind === "mover" ? [this.moverStates, this.movers] : [this.siteStates, this.sites];
    const found = new Map<number, number>();
    for (let at = epoch * count; at < (epoch + 1) * count; at++) found.set(states[at], (found.get(states[at]) ?? 0) + 1);
    return found;
  }

  /** The sites of a group. */
  groupOf(group: number): number[] {
    return Array.from({ length: this.sites }, (_, site) => site).filter((site) => this.siteGroup[site] === group);
  }

  name({ kind, number }: Picked): string {
    if (kind === "mover") return `${this.header.mover_word} ${number}`;
    return `${this.header.site_word} ${this.header.site_names[number] ?? number}`;
  }

  /** The name of the state that a mover or site is in. */
  stateName({ kind, number }: Picked, time: number): string {
    if (kind === "site") return this.header.site_marks[this.siteState(number, time)!]?.name ?? "";
    return this.header.mover_marks[this.moverState(number, time, this.place(number, time).moving)].name;
  }

  story({ kind, number }: Picked): StoryEvent[] {
    return this.events.filter((event) => event[kind] === number);
  }

  /** The number of the leg that a mover is on or has driven last; -1 before its first. */
  private leg(mover: number, time: number): number {
    const legs = this.legsOf[mover];
    const at = lastUpTo(legs.length, (number) => this.legAt[this.legFirst[legs[number]]] / 10, time, -1);
    return at < 0 ? -1 : legs[at];
  }

  private drives(state: number): boolean {
    return this.header.mover_marks[state].place === "way";
  }

  private standing(node: number): Place {
    return { x: this.city.x[node], y: this.city.y[node], heading: 0, moving: false };
  }

  private readEvents(): StoryEvent[] {
    const [times, ofMover, ofSite, texts] = ["time", "mover", "site", "text"].map((name) => this.array(`event_${name}`));
    const worded = (text: string, mover: number, site: number) =>
      text
        .replace("{mover}", this.name({ kind: "mover", number: mover }))
        .replace("{site}", this.name({ kind: "site", number: site }));
    return Array.from(times, (tenths, at) => ({
      time: tenths / 10,
      mover: ofMover[at],
      site: ofSite[at],
      text: worded(this.header.texts[texts[at]], ofMover[at], ofSite[at]),
    }));
  }
}

/** The last of some ascending values that is not above a limit; `none` if all are. */
function lastUpTo(count: number, value: (at: number) => number, limit: number, none = 0): number {
  let low = none;
  let high = count - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (value(middle) <= limit + 1e-9) low = middle;
    else high = middle - 1;
  }
  return low;
}
