// What a Node programmer writes who cares: large reads, one join of the output a read.
//
//   node prepare.mjs CORPUS.jsonl > REQUESTS.jsonl
import { createReadStream } from "node:fs";

const input = createReadStream(process.argv[2], { highWaterMark: 1 << 20 });
let rest = Buffer.alloc(0);
let count = 0;

function requestLine(line) {
  const text = JSON.stringify(JSON.parse(line).text);
  const key = String(count++).padStart(12, "0");
  return `{"key":"${key}","request":{"content":{"parts":[{"text":${text}}]},"outputDimensionality":768}}\n`;
}

for await (const piece of input) {
  const bytes = rest.length > 0 ? Buffer.concat([rest, piece]) : piece;
  const end = bytes.lastIndexOf(10) + 1;
  rest = bytes.subarray(end);
  if (end === 0) continue;
  const lines = bytes.toString("utf8", 0, end - 1).split("\n");
  if (!process.stdout.write(lines.map(requestLine).join(""))) {
    await new Promise((resolve) => process.stdout.once("drain", resolve));
  }
}
if (rest.length > 0) process.stdout.write(requestLine(rest.toString("utf8")));
