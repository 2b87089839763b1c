// The calls of a batch pipeline through @google/genai. Every answer is looked into, not only awaited.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const {GoogleGenAI} = require('@google/genai');

const scratch = process.argv[2];
const ai = new GoogleGenAI({});
const count = 40;
const dimensions = 16;

async function ended(job) {
  const deadline = Date.now() + 60_000;
  while (!/_(SUCCEEDED|FAILED|CANCELLED|EXPIRED)$/.test(job.state)) {
    assert.ok(Date.now() < deadline, `${job.name} stays ${job.state}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    job = await ai.batches.get({name: job.name});
  }
  return job;
}

function writeLines(name, request) {
  const file = path.join(scratch, name);
  const lines = Array.from({length: count}, (_, i) => JSON.stringify({key: `k${i}`, request: request(i)}));
  fs.writeFileSync(file, lines.join('\n') + '\n');
  return file;
}

async function upload(file) {
  const config = {mimeType: 'application/jsonl', displayName: path.basename(file)};
  const uploaded = await ai.files.upload({file, config});
  assert.equal(uploaded.state, 'ACTIVE');
  assert.equal(Number(uploaded.sizeBytes), fs.statSync(file).size);
  return uploaded;
}

// The lines of a job's result file by key; every key stands there once.
async function results(job) {
  assert.equal(job.state, 'JOB_STATE_SUCCEEDED');
  const downloadPath = path.join(scratch, 'results.jsonl');
  await ai.files.download({file: job.dest.fileName, downloadPath});
  // The download may settle before its stream has reached the disk.
  let lines = [];
  for (let i = 0; i < 200 && lines.length < count; ++i) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    const text = fs.existsSync(downloadPath) ? fs.readFileSync(downloadPath, 'utf8') : '';
    lines = text.split('\n').slice(0, -1);
  }
  fs.rmSync(downloadPath);
  const byKey = new Map(lines.map((line) => [JSON.parse(line).key, JSON.parse(line)]));
  assert.equal(lines.length, count);
  assert.equal(byKey.size, count);
  for (let i = 0; i < count; ++i) assert.ok(byKey.has(`k${i}`));
  return byKey;
}

async function embeddingsFromFile() {
  const file = writeLines('embed.jsonl', (i) => (
    {content: {parts: [{text: `document ${i} about tides`}]}, outputDimensionality: dimensions}));
  const uploaded = await upload(file);
  const created = await ai.batches.createEmbeddings({
    model: 'gemini-embedding-001', src: {fileName: uploaded.name}, config: {displayName: 'js file'}});
  assert.equal(created.state, 'JOB_STATE_PENDING');
  assert.equal(created.displayName, 'js file');
  const byKey = await results(await ended(created));
  for (const line of byKey.values()) {
    assert.equal(line.response.embedding.values.length, dimensions);
    assert.ok(line.response.embedding.values.every(Number.isFinite));
  }
  return {uploaded, job: created};
}

async function embeddingsInline() {
  const contents = Array.from({length: 5}, (_, i) => `inline text ${i}`);
  const created = await ai.batches.createEmbeddings({
    model: 'gemini-embedding-001',
    src: {inlinedRequests: {contents, config: {outputDimensionality: dimensions}}}});
  const job = await ended(created);
  const answers = job.dest.inlinedEmbedContentResponses;
  assert.equal(answers.length, contents.length);
  for (const answer of answers) assert.equal(answer.response.embedding.values.length, dimensions);
}

async function generationFromFile() {
  const file = writeLines('generate.jsonl', (i) => ({contents: [{parts: [{text: `say ${i}`}]}]}));
  const uploaded = await upload(file);
  const created = await ai.batches.create({model: 'gemini-2.5-flash', src: uploaded.name});
  const byKey = await results(await ended(created));
  assert.equal(byKey.get('k7').response.candidates[0].content.parts[0].text, 'echo: say 7');
}

async function generationInline() {
  const src = [0, 1, 2].map((i) => (
    {contents: [{parts: [{text: `hello ${i}`}], role: 'user'}], metadata: {key: `m${i}`}}));
  const job = await ended(await ai.batches.create({model: 'gemini-2.5-flash', src}));
  const texts = job.dest.inlinedResponses.map((item) => item.response.candidates[0].content.parts[0].text);
  assert.deepEqual(texts.sort(), ['echo: hello 0', 'echo: hello 1', 'echo: hello 2']);
  assert.deepEqual(job.dest.inlinedResponses.map((item) => item.metadata.key).sort(), ['m0', 'm1', 'm2']);
}

async function listing(known) {
  const names = [];
  for await (const job of await ai.batches.list({config: {pageSize: 2}})) names.push(job.name);
  assert.equal(names.length, 4);
  assert.equal(new Set(names).size, 4);
  assert.ok(names.includes(known.name));
}

async function cancelAndDelete(uploaded) {
  const job = await ai.batches.createEmbeddings({
    model: 'gemini-embedding-001', src: {fileName: uploaded.name}});
  await ai.batches.cancel({name: job.name});
  const stopped = await ended(job);
  assert.match(stopped.state, /_(CANCELLED|SUCCEEDED)$/);
  await ai.batches.delete({name: job.name});
  await assert.rejects(ai.batches.get({name: job.name}), (error) => error.status === 404);
}

async function files(uploaded) {
  assert.equal((await ai.files.get({name: uploaded.name})).sha256Hash, uploaded.sha256Hash);
  const names = [];
  for await (const file of await ai.files.list({config: {pageSize: 1}})) names.push(file.name);
  assert.equal(names.length, 2);
  await ai.files.delete({name: uploaded.name});
  await assert.rejects(ai.files.get({name: uploaded.name}), (error) => error.status === 403);
}

async function atOnce() {
  const embedded = await ai.models.embedContent({
    model: 'gemini-embedding-001', contents: ['one', 'two'],
    config: {outputDimensionality: dimensions}});
  assert.deepEqual(embedded.embeddings.map((e) => e.values.length), [dimensions, dimensions]);
  const counted = await ai.models.countTokens({model: 'gemini-2.5-flash', contents: 'some text'});
  assert.equal(counted.totalTokens, 3);
  const answer = await ai.models.generateContent({model: 'gemini-2.5-flash', contents: 'some text'});
  assert.equal(answer.text, 'echo: some text');
  await assert.rejects(ai.models.embedContent({model: 'text-embedding-004', contents: 'x'}),
    (error) => error.status === 404);
}

async function main() {
  const {uploaded, job} = await embeddingsFromFile();
  await embeddingsInline();
  await generationFromFile();
  await generationInline();
  await listing(job);
  await cancelAndDelete(uploaded);
  await files(uploaded);
  await atOnce();
  console.log('javascript client: all calls answered as expected');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
