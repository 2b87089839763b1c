// Answers to a .npy file with two workers, each with half of the files.
//
//   node decode.mjs OUTPUT.npy ROWS ANSWERS...
import { createReadStream, writeFileSync } from "node:fs";
import { Worker, isMainThread, workerData } from "node:worker_threads";
import { fileURLToPath } from "node:url";

const DIMENSION = 768;

function take(line, matrix) {
  const answer = JSON.parse(line);
  const values = answer.response?.embedding.values;
  if (values) matrix.set(values, Number(answer.key) * DIMENSION);
}

async function decodeFile(path, matrix) {
  let rest = Buffer.alloc(0);
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, piece]) : piece;
    const end = bytes.lastIndexOf(10) + 1;
    rest = bytes.subarray(end);
    if (end === 0) continue;
    for (const line of bytes.latin1Slice(0, end - 1).split("\n")) take(line, matrix);
  }
}

function header(rows) {
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${DIMENSION}), }`;
  const head = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]);
  return Buffer.concat([head, Buffer.from(dictionary.padEnd(117) + "\n")]);
}

if (isMainThread) {
  const [output, rows, ...paths] = process.argv.slice(2);
  const shared = new SharedArrayBuffer(rows * DIMENSION * 4);
  new Float32Array(shared).fill(NaN);
  const halves = [0, 1].map((half) => paths.filter((_, index) => index % 2 === half));
  await Promise.all(halves.map((half) => new Promise((resolve, reject) => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { shared, half } });
    worker.on("exit", resolve).on("error", reject);
  })));
  writeFileSync(output, header(rows));
  writeFileSync(output, new Uint8Array(shared), { flag: "a" });
} else {
  const matrix = new Float32Array(workerData.shared);
  for (const path of workerData.half) await decodeFile(path, matrix);
}
