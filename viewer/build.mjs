// Bundles the player into the Python package: player.js, player.css and the licences of what is in them.
import { build } from "esbuild";
import { readFileSync, writeFileSync } from "node:fs";

const target = process.argv[2] ?? "../src/crowdgym/player/bundle";
const common = { bundle: true, minify: true, legalComments: "none", target: "es2022", charset: "utf8" };
await build({ ...common, entryPoints: ["src/main.ts"], outfile: `${target}/player.js`, format: "iife" });
await build({ ...common, entryPoints: ["src/player.css"], outfile: `${target}/player.css` });
const licence = readFileSync("node_modules/uplot/LICENSE", "utf8");
writeFileSync(`${target}/LICENSES.txt`, `player.js and player.css contain uPlot 1.6.32:\n\n${licence}`);
