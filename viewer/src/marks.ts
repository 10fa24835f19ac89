// Draws marks: discs, outlines, arrows, badges with numbers, and outlines around groups.

import type { Looks, Mark } from "./unpack";

const [BADGE_PX, BADGE_LEAST_PX] = [10.5, 8.5];
const HEAD: [number, number][] = [[0, 0], [-2.1, 0.9], [-1.5, 0], [-2.1, -0.9]];

export type Point = [number, number];

export class Marks {
  enlarged = 1; // how much larger than usual everything is

  constructor(
    private readonly pen: CanvasRenderingContext2D,
    private readonly looks: Looks,
  ) {}

  /** The radius of a disc, by the share of the largest area. */
  radius(size: number): number {
    return Math.max(this.looks.largest_px * Math.sqrt(size), this.looks.smallest_px) * this.enlarged;
  }

  disc(x: number, y: number, radius: number, mark: Mark): void {
    const { pen } = this;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    if (mark.face !== "none") {
      pen.fillStyle = mark.face;
      pen.fill();
    }
    pen.strokeStyle = mark.edge;
    pen.lineWidth = mark.edge_px;
    pen.stroke();
  }

  outline(x: number, y: number, heading: number, mark: Mark, grows = 1): void {
    const { pen } = this;
    pen.beginPath();
    this.trace(x, y, heading, mark.outline, mark.size_px * this.enlarged * grows);
    if (mark.face !== "none") {
      pen.closePath();
      pen.fillStyle = mark.face;
      pen.fill();
    }
    pen.strokeStyle = mark.edge;
    pen.lineWidth = mark.edge_px;
    pen.stroke();
  }

  /** An arrow that leaves gaps at its ends; nothing if it has no room. */
  arrow([ax, ay]: Point, [bx, by]: Point, gaps: Point, colour: string, width: number): void {
    const length = Math.hypot(bx - ax, by - ay);
    const head = (2.6 + 0.9 * width) * this.enlarged;
    if (length < gaps[0] + gaps[1] + head) return;
    const [ux, uy] = [(bx - ax) / length, (by - ay) / length];
    const [tipX, tipY] = [bx - ux * gaps[1], by - uy * gaps[1]];
    const { pen } = this;
    pen.strokeStyle = pen.fillStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    pen.moveTo(ax + ux * gaps[0], ay + uy * gaps[0]);
    pen.lineTo(tipX - ux * head, tipY - uy * head);
    pen.stroke();
    pen.beginPath();
    this.trace(tipX, tipY, Math.atan2(-uy, ux), HEAD, head);
    pen.fill();
  }

  badge(x: number, y: number, count: number): void {
    const { pen } = this;
    const size = Math.min(Math.max(BADGE_PX * this.enlarged, BADGE_LEAST_PX), BADGE_PX);
    pen.font = `600 ${size}px system-ui, sans-serif`;
    const width = pen.measureText(`${count}`).width + 0.75 * size;
    const [left, top, height] = [x + 3 * this.enlarged, y - 6 * this.enlarged - 0.6 * size, 1.3 * size];
    pen.fillStyle = this.looks.ink;
    pen.beginPath();
    pen.roundRect(left, top, width, height, height / 2);
    pen.fill();
    pen.fillStyle = "#ffffff";
    pen.fillText(`${count}`, left + 0.37 * size, top + size);
  }

  /** A rounded outline around the corners of a convex polygon, which run clockwise on the canvas. */
  around(corners: Point[], gap: number): Path2D {
    const path = new Path2D();
    const count = corners.length;
    corners.forEach(([x, y], at) => {
      const [bx, by] = corners[(at + count - 1) % count];
      const [nx, ny] = corners[(at + 1) % count];
      if (count === 1) return path.arc(x, y, gap, 0, 2 * Math.PI);
      path.arc(x, y, gap, Math.atan2(y - by, x - bx) - Math.PI / 2, Math.atan2(ny - y, nx - x) - Math.PI / 2);
    });
    path.closePath();
    return path;
  }

  private trace(x: number, y: number, heading: number, outline: [number, number][], size: number): void {
    const [cos, sin] = [Math.cos(heading) * size, Math.sin(heading) * size];
    for (let at = 0; at < outline.length; at++) {
      const [u, v] = outline[at];
      const [px, py] = [x + u * cos - v * sin, y - u * sin - v * cos];
      if (at === 0) this.pen.moveTo(px, py);
      else this.pen.lineTo(px, py);
    }
  }
}

/** The convex hull of some points, clockwise on a canvas whose y axis points down. */
export function hullOf(points: Point[]): Point[] {
  const sorted = points.slice().sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (line: Point[]): Point[] => {
    const found: Point[] = [];
    for (const point of line) {
      while (found.length > 1 && turn(found[found.length - 2], found[found.length - 1], point) <= 0) found.pop();
      found.push(point);
    }
    return found.slice(0, -1);
  };
  if (sorted.every(([x, y]) => x === sorted[0][0] && y === sorted[0][1])) return sorted.slice(0, 1);
  return [...half(sorted), ...half(sorted.reverse())];
}

function turn([ax, ay]: Point, [bx, by]: Point, [cx, cy]: Point): number {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
}
