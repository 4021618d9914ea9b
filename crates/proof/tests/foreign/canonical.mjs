// Writes values as RFC 8785 asks (it is defined by what JSON.stringify does) and compares.

import { readFileSync } from "node:fs";
import { join } from "node:path";

const read = (name) => JSON.parse(readFileSync(join(process.argv[2], name), "utf8"));
const canonical = (value) => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
};
const values = read("values.json");
const texts = read("texts.json");
if (values.length === 0 || values.length !== texts.length) throw new Error("nothing to compare");
values.forEach((value, index) => {
  if (canonical(value) !== texts[index]) throw new Error(`${canonical(value)} is not ${texts[index]}`);
});
console.log("good");
