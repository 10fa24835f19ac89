// Draws one run on a canvas: streets once for each view, everything that moves at every frame.

import type { City, Run } from "./run";
import type { Mark } from "./unpack";
import type { View } from "./view";

const PAPER = "#fbf9f4";
const OUTSIDE = "#eeeae1";
const INK = "#1b2a4a";
const LARGEST_PX = 15; // radius of a site with size 1; areas are in proportion
const SMALLEST_PX = 4.5;
const FADES_S = 600; // a site that has ended fades out over this long
const CROWD = 4; // as many movers at one place, or more, are one mark with their number
const PICK_PX = 16;

export interface Picked {
  kind: "mover" | "site";
  number: number;
}

interface Drawn {
  mover: number;
  x: number;
  y: number;
  heading: number;
  state: number;
  moving: boolean;
}

export class Pane {
  readonly canvas = document.createElement("canvas");
  private readonly pen = this.canvas.getContext("2d")!;
  private readonly ground = document.createElement("canvas");
  private groundVersion = -1;
  private width = 0;
  private height = 0;
  private density = 1;

  constructor(
    readonly run: Run,
    private readonly city: City,
    private readonly view: View,
  ) {
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `Map of ${run.header.title}, ${run.header.agent}`);
  }

  get size(): [number, number] {
    return [this.width, this.height];
  }

  resize(): void {
    const box = this.canvas.getBoundingClientRect();
    this.density = Math.min(window.devicePixelRatio || 1, 2);
    [this.width, this.height] = [Math.max(box.width, 1), Math.max(box.height, 1)];
    for (const canvas of [this.canvas, this.ground]) {
      canvas.width = Math.round(this.width * this.density);
      canvas.height = Math.round(this.height * this.density);
    }
    this.groundVersion = -1;
  }

  draw(time: number, picked: Picked | null): void {
    this.drawGround();
    const { pen } = this;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.drawImage(this.ground, 0, 0);
    pen.setTransform(this.density, 0, 0, this.density, 0, 0);
    const movers = this.movers(time);
    this.drawLinks(time);
    this.drawWays(movers, time, picked);
    this.drawSites(time);
    this.drawMovers(movers, time);
    if (picked) this.drawPicked(picked, time);
  }

  /** What is nearest to a place on the canvas, if it is near. */
  pick(x: number, y: number, time: number): Picked | null {
    let best: Picked | null = null;
    let nearest = PICK_PX;
    const consider = (kind: "mover" | "site", number: number, px: number, py: number, closer: number) => {
      const distance = Math.hypot(px - x, py - y) - closer;
      if (distance < nearest) [nearest, best] = [distance, { kind, number }];
    };
    for (let site = 0; site < this.run.sites; site++) {
      if (this.run.siteState(site, time) === null) continue;
      const [px, py] = this.pixels(this.run.siteX[site], this.run.siteY[site]);
      consider("site", site, px, py, 0);
    }
    for (const of of this.movers(time)) consider("mover", of.mover, of.x, of.y, of.moving ? 4 : 1);
    return best;
  }

  private pixels(x: number, y: number): [number, number] {
    return this.view.toPixels(x, y, this.width, this.height);
  }

  private movers(time: number): Drawn[] {
    return Array.from({ length: this.run.movers }, (_, mover) => {
      const place = this.run.place(mover, time);
      const [x, y] = this.pixels(place.x, place.y);
      const state = this.run.moverState(mover, time, place.moving);
      return { mover, x, y, heading: place.heading, state, moving: place.moving };
    });
  }

  private drawGround(): void {
    if (this.groundVersion === this.view.version) return;
    this.groundVersion = this.view.version;
    const pen = this.ground.getContext("2d")!;
    pen.setTransform(this.density, 0, 0, this.density, 0, 0);
    pen.fillStyle = OUTSIDE;
    pen.fillRect(0, 0, this.width, this.height);
    pen.lineCap = "round";
    pen.lineJoin = "round";
    const widths = this.city.header.street_widths;
    const wider = Math.min(Math.max(Math.sqrt(this.view.pixelsPerMetre * 30), 0.7), 4);
    const paths = widths.map(() => new Path2D());
    const near = new Path2D();
    const { streets, classes } = this.city;
    for (let street = 0; street < classes.length; street++) {
      const [from, to] = [streets[2 * street], streets[2 * street + 1]];
      const [ax, ay] = this.pixels(this.city.x[from], this.city.y[from]);
      const [bx, by] = this.pixels(this.city.x[to], this.city.y[to]);
      if (Math.max(ax, bx) < -40 || Math.max(ay, by) < -40) continue;
      if (Math.min(ax, bx) > this.width + 40 || Math.min(ay, by) > this.height + 40) continue;
      for (const path of [paths[classes[street]], near]) {
        path.moveTo(ax, ay);
        path.lineTo(bx, by);
      }
    }
    pen.strokeStyle = PAPER; // where there are streets there is a city
    pen.lineWidth = Math.max(36, 350 * this.view.pixelsPerMetre);
    pen.stroke(near);
    paths.forEach((path, number) => {
      pen.strokeStyle = this.city.header.street_colours[number];
      pen.lineWidth = widths[number] * wider;
      pen.stroke(path);
    });
    this.drawScale(pen);
  }

  private drawScale(pen: CanvasRenderingContext2D): void {
    const most = 140 / this.view.pixelsPerMetre;
    const power = 10 ** Math.floor(Math.log10(most));
    const length = [5, 2, 1].map((step) => step * power).find((step) => step <= most)!;
    const width = length * this.view.pixelsPerMetre;
    const [left, bottom] = [16, this.height - 16];
    for (const [colour, line] of [[PAPER, 5], [INK, 1.5]] as const) {
      pen.strokeStyle = colour;
      pen.lineWidth = line;
      pen.beginPath();
      pen.moveTo(left, bottom - 6);
      pen.lineTo(left, bottom);
      pen.lineTo(left + width, bottom);
      pen.lineTo(left + width, bottom - 6);
      pen.stroke();
    }
    pen.fillStyle = INK;
    pen.font = "12px system-ui, sans-serif";
    pen.fillText(length >= 1000 ? `${length / 1000} km` : `${length} m`, left + 6, bottom - 8);
  }

  private drawLinks(time: number): void {
    const { links } = this.run;
    this.pen.lineWidth = 1.2;
    for (let at = 0; at < links.length; at += 2) {
      const [from, to] = [links[at], links[at + 1]];
      if (this.run.siteState(from, time) === null || this.run.siteState(to, time) === null) continue;
      const [ax, ay] = this.pixels(this.run.siteX[from], this.run.siteY[from]);
      const [bx, by] = this.pixels(this.run.siteX[to], this.run.siteY[to]);
      this.pen.strokeStyle = "rgba(27, 42, 74, 0.35)";
      this.pen.beginPath();
      this.pen.moveTo(ax, ay);
      this.pen.lineTo(bx, by);
      this.pen.stroke();
    }
  }

  private drawWays(movers: Drawn[], time: number, picked: Picked | null): void {
    const ways = new Path2D();
    const chosen = new Path2D();
    for (const of of movers) {
      if (!of.moving) continue;
      const path = picked?.kind === "mover" && picked.number === of.mover ? chosen : ways;
      this.run.ahead(of.mover, time).forEach(([x, y], at) => {
        const [px, py] = this.pixels(x, y);
        if (at === 0) path.moveTo(px, py);
        else path.lineTo(px, py);
      });
    }
    this.pen.lineJoin = "round";
    this.pen.strokeStyle = "rgba(0, 114, 178, 0.4)";
    this.pen.lineWidth = 1.6;
    this.pen.stroke(ways);
    this.pen.strokeStyle = "#0072b2";
    this.pen.lineWidth = 3.5;
    this.pen.stroke(chosen);
  }

  private drawSites(time: number): void {
    const { pen, run } = this;
    const found: [number, number, number][] = []; // site, state, radius
    for (let site = 0; site < run.sites; site++) {
      const state = run.siteState(site, time);
      if (state !== null) found.push([site, state, this.radius(run.siteSize(site, time))]);
    }
    found.sort((a, b) => b[2] - a[2]); // large ones below small ones
    for (const [site, state, radius] of found) {
      const mark = run.header.site_marks[state];
      const [x, y] = this.pixels(run.siteX[site], run.siteY[site]);
      if (mark.outline.length === 0) {
        this.disc(x, y, radius, mark);
        continue;
      }
      const age = time - run.siteSince(site, time);
      if (age > FADES_S) continue;
      pen.globalAlpha = 1 - age / FADES_S;
      this.outline(x, y, 0, mark, mark.size_px);
      pen.globalAlpha = 1;
    }
  }

  private drawMovers(movers: Drawn[], time: number): void {
    const { header } = this.run;
    const standing = new Map<string, Drawn[]>();
    for (const of of movers) {
      if (of.moving) continue;
      const key = `${of.state} ${of.x.toFixed(1)} ${of.y.toFixed(1)}`;
      standing.set(key, [...(standing.get(key) ?? []), of]);
    }
    const around = this.radiiBySite(time);
    for (let state = 0; state < header.mover_marks.length; state++) {
      const mark = header.mover_marks[state];
      for (const group of standing.values()) {
        if (group[0].state !== state) continue;
        const { x, y } = group[0];
        if (group.length >= CROWD) this.badge(x, y, group.length, mark);
        else group.forEach((_, at) => this.outline(...beside(x, y, at, group.length, around(x, y)), 0, mark, mark.size_px));
      }
      for (const of of movers) {
        if (of.moving && of.state === state) this.outline(of.x, of.y, of.heading, mark, mark.size_px);
      }
    }
  }

  /** The radius of the disc at a place on the canvas; 0 for none. */
  private radiiBySite(time: number): (x: number, y: number) => number {
    const radii = new Map<string, number>();
    for (let site = 0; site < this.run.sites; site++) {
      const state = this.run.siteState(site, time);
      if (state === null || this.run.header.site_marks[state].outline.length > 0) continue;
      const [x, y] = this.pixels(this.run.siteX[site], this.run.siteY[site]);
      radii.set(`${Math.round(x)} ${Math.round(y)}`, this.radius(this.run.siteSize(site, time)));
    }
    return (x, y) => radii.get(`${Math.round(x)} ${Math.round(y)}`) ?? 0;
  }

  private drawPicked(picked: Picked, time: number): void {
    const place = picked.kind === "mover" ? this.run.place(picked.number, time) : null;
    const [x, y] = place
      ? this.pixels(place.x, place.y)
      : this.pixels(this.run.siteX[picked.number], this.run.siteY[picked.number]);
    this.pen.strokeStyle = "#d55e00";
    this.pen.lineWidth = 2.5;
    this.pen.beginPath();
    this.pen.arc(x, y, 19, 0, 2 * Math.PI);
    this.pen.stroke();
  }

  private radius(size: number): number {
    return Math.max(LARGEST_PX * Math.sqrt(size), SMALLEST_PX);
  }

  private disc(x: number, y: number, radius: number, mark: Mark): void {
    const { pen } = this;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fillStyle = mark.face;
    pen.fill();
    pen.strokeStyle = mark.edge;
    pen.lineWidth = mark.edge_px;
    pen.stroke();
  }

  private outline(x: number, y: number, heading: number, mark: Mark, size: number): void {
    const { pen } = this;
    const [cos, sin] = [Math.cos(heading), Math.sin(heading)];
    pen.beginPath();
    mark.outline.forEach(([u, v], at) => {
      const [px, py] = [x + size * (u * cos - v * sin), y - size * (u * sin + v * cos)];
      if (at === 0) pen.moveTo(px, py);
      else pen.lineTo(px, py);
    });
    if (mark.face !== "none") {
      pen.closePath();
      pen.fillStyle = mark.face;
      pen.fill();
    }
    pen.strokeStyle = mark.edge;
    pen.lineWidth = mark.edge_px;
    pen.stroke();
  }

  private badge(x: number, y: number, count: number, mark: Mark): void {
    const { pen } = this;
    this.outline(x, y, 0, mark, mark.size_px * 1.5);
    pen.font = "bold 11px system-ui, sans-serif";
    const width = pen.measureText(`${count}`).width + 8;
    pen.fillStyle = INK;
    pen.beginPath();
    pen.roundRect(x + 5, y - 16, width, 14, 7);
    pen.fill();
    pen.fillStyle = "#ffffff";
    pen.fillText(`${count}`, x + 9, y - 5);
  }
}

/** Where the at-th of some movers at one place is drawn: around a disc if there is one, else close together. */
function beside(x: number, y: number, at: number, count: number, radius: number): [number, number] {
  if (radius === 0 && count === 1) return [x, y];
  const distance = radius > 0 ? radius + 4.5 : 6;
  const angle = Math.PI / 2 - (2 * Math.PI * at) / Math.max(count, 3);
  return [x + distance * Math.cos(angle), y - distance * Math.sin(angle)];
}
