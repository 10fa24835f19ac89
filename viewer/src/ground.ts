// The ground of a pane: land, greens, water and streets, drawn once for each view into a bitmap.

import type { City } from "./city";
import type { Looks } from "./unpack";
import type { View } from "./view";

const BUILT_UP_M = 350; // ground within this width along a street is part of the city
const BUILT_UP_SHARE = 0.15; // of the side of a small city, likewise
const BUILT_UP_LEAST_PX = 30;
const SOFT_PX = 14;

export class Ground {
  readonly canvas = document.createElement("canvas");
  private version = -1;
  private width = 1;
  private height = 1;
  private density = 1;

  constructor(
    private readonly city: City,
    private readonly looks: Looks,
    private readonly view: View,
  ) {}

  resize(width: number, height: number, density: number): void {
    [this.width, this.height, this.density] = [width, height, density];
    this.canvas.width = Math.round(width * density);
    this.canvas.height = Math.round(height * density);
    this.version = -1;
  }

  /** Draw, if the view has changed since. */
  draw(): void {
    if (this.version === this.view.version) return;
    this.version = this.view.version;
    const pen = this.canvas.getContext("2d")!;
    pen.setTransform(this.density, 0, 0, this.density, 0, 0);
    pen.fillStyle = this.looks.outside;
    pen.fillRect(0, 0, this.width, this.height);
    pen.lineCap = "round";
    pen.lineJoin = "round";
    const { all, byClass } = this.streets();
    this.drawBuiltUp(pen, all);
    this.drawAreas(pen);
    const wider = Math.min(Math.max(Math.sqrt(this.view.pixelsPerMetre * 30), 0.7), 4);
    byClass.forEach((path, number) => {
      pen.strokeStyle = this.city.header.street_colours[number];
      pen.lineWidth = this.city.header.street_widths[number] * wider;
      pen.stroke(path);
    });
    this.drawScale(pen);
  }

  /** The ground along the streets, with soft edges: drawn small, then enlarged. */
  private drawBuiltUp(pen: CanvasRenderingContext2D, streets: Path2D): void {
    const small = document.createElement("canvas");
    small.width = Math.ceil(this.width / SOFT_PX);
    small.height = Math.ceil(this.height / SOFT_PX);
    const brush = small.getContext("2d")!;
    brush.scale(1 / SOFT_PX, 1 / SOFT_PX);
    brush.strokeStyle = this.looks.paper;
    brush.lineCap = brush.lineJoin = "round";
    const width = Math.min(BUILT_UP_M, BUILT_UP_SHARE * this.city.header.side_m);
    brush.lineWidth = Math.max(BUILT_UP_LEAST_PX, width * this.view.pixelsPerMetre);
    brush.stroke(streets);
    pen.imageSmoothingQuality = "low";
    pen.drawImage(small, 0, 0, small.width * SOFT_PX, small.height * SOFT_PX);
  }

  private streets(): { all: Path2D; byClass: Path2D[] } {
    const byClass = this.city.header.street_widths.map(() => new Path2D());
    const all = new Path2D();
    const { streets, classes } = this.city;
    for (let street = 0; street < classes.length; street++) {
      const [from, to] = [streets[2 * street], streets[2 * street + 1]];
      const [ax, ay] = this.pixels(this.city.x[from], this.city.y[from]);
      const [bx, by] = this.pixels(this.city.x[to], this.city.y[to]);
      if (Math.max(ax, bx) < -40 || Math.max(ay, by) < -40) continue;
      if (Math.min(ax, bx) > this.width + 40 || Math.min(ay, by) > this.height + 40) continue;
      for (const path of [byClass[classes[street]], all]) {
        path.moveTo(ax, ay);
        path.lineTo(bx, by);
      }
    }
    return { all, byClass };
  }

  private drawAreas(pen: CanvasRenderingContext2D): void {
    for (const { kind, x, y } of this.city.areas) {
      pen.beginPath();
      x.forEach((_, at) => pen.lineTo(...this.pixels(x[at], y[at])));
      pen.closePath();
      pen.fillStyle = this.city.header.area_colours[kind];
      pen.fill();
      if (kind !== 0) continue;
      pen.strokeStyle = "#b0a898"; // the border of the land
      pen.lineWidth = 1.2;
      pen.stroke();
    }
  }

  private drawScale(pen: CanvasRenderingContext2D): void {
    const most = Math.min(140, this.width / 3) / this.view.pixelsPerMetre;
    const power = 10 ** Math.floor(Math.log10(most));
    const length = [5, 2, 1].map((step) => step * power).find((step) => step <= most)!;
    const width = length * this.view.pixelsPerMetre;
    const [left, bottom] = [16, this.height - 14];
    for (const [colour, line] of [[this.looks.paper, 5], [this.looks.ink, 1.5]] as const) {
      pen.strokeStyle = colour;
      pen.lineWidth = line;
      pen.beginPath();
      pen.moveTo(left, bottom - 6);
      pen.lineTo(left, bottom);
      pen.lineTo(left + width, bottom);
      pen.lineTo(left + width, bottom - 6);
      pen.stroke();
    }
    pen.font = "12px system-ui, sans-serif";
    const words = length >= 1000 ? `${length / 1000} km` : `${length} m`;
    pen.strokeStyle = this.looks.paper;
    pen.lineWidth = 4;
    pen.strokeText(words, left + 6, bottom - 8);
    pen.fillStyle = this.looks.ink;
    pen.fillText(words, left + 6, bottom - 8);
  }

  private pixels(x: number, y: number): [number, number] {
    return this.view.toPixels(x, y, this.width, this.height);
  }
}
