// Every batch and file operation of @google/genai. Every answer is looked into, not only awaited.
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const {GoogleGenAI} = require('@google/genai');

const scratch = process.argv[2];
const count = 40;
const dimensions = 16;
const mimeType = 'application/jsonl';
const jobs = new Set();   // names of those that are there
const kept = new Set();  // files, likewise

// A module of the client that remembers which of its methods were called.
function recorded(module) {
  const called = new Set();
  const proxy = new Proxy(module, {
    get(target, name) {
      called.add(name);
      const member = target[name];
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  return {proxy, called};
}

const {batches: plainBatches, files: plainFiles, models} = new GoogleGenAI({});
const {proxy: batches, called: calledBatches} = recorded(plainBatches);
const {proxy: files, called: calledFiles} = recorded(plainFiles);

// The public methods of a class, as the package declares them.
function publicMethods(className) {
  const declarations = path.join(path.dirname(require.resolve('@google/genai')), '..', 'genai.d.ts');
  const text = fs.readFileSync(declarations, 'utf8').replaceAll('\r\n', '\n');
  const body = text.match(new RegExp(`declare class ${className} extends [^]*?\n}\n`))[0];
  const names = [...body.matchAll(/^    (\w+)(?:\(|: \()/gm)].map((match) => match[1]);
  return names.filter((name) => name !== 'constructor');
}

async function ended(job) {
  const deadline = Date.now() + 60_000;
  while (!/_(SUCCEEDED|FAILED|CANCELLED|EXPIRED)$/.test(job.state)) {
    assert.ok(Date.now() < deadline, `${job.name} stays ${job.state}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    job = await batches.get({name: job.name});
  }
  return job;
}

async function succeeded(job) {
  jobs.add(job.name);
  assert.equal(job.state, 'JOB_STATE_PENDING');
  assert.equal(job.endTime, undefined);
  job = await ended(job);
  assert.equal(job.state, 'JOB_STATE_SUCCEEDED');
  assert.ok(Date.parse(job.endTime) >= Date.parse(job.createTime));
  return job;
}

async function upload(file, size, config) {
  const uploaded = await files.upload({file, config: {mimeType, ...config}});
  kept.add(uploaded.name);
  assert.equal(uploaded.state, 'ACTIVE');
  assert.equal(uploaded.source, 'UPLOADED');
  assert.equal(uploaded.mimeType, mimeType);
  assert.equal(Number(uploaded.sizeBytes), size);
  return uploaded;
}

function uploadLines(name, request) {
  const file = path.join(scratch, name);
  const lines = Array.from({length: count}, (_, i) => JSON.stringify({key: `k${i}`, request: request(i)}));
  fs.writeFileSync(file, lines.join('\n') + '\n');
  return upload(file, fs.statSync(file).size, {displayName: name});
}

// The lines of a job's result file by key; every key stands there once.
async function results(job) {
  const downloadPath = path.join(scratch, 'results.jsonl');
  await files.download({file: job.dest.fileName, downloadPath});
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

async function embeddingsFromFile(model) {
  const uploaded = await uploadLines('embed.jsonl', (i) => (
    {content: {parts: [{text: `document ${i} about tides`}]}, outputDimensionality: dimensions}));
  const created = await batches.createEmbeddings({
    model, src: {fileName: uploaded.name}, config: {displayName: 'js file'}});
  assert.equal(created.displayName, 'js file');
  assert.equal(created.model, `models/${model}`);
  const byKey = await results(await succeeded(created));
  for (const line of byKey.values()) {
    assert.equal(line.response.embedding.values.length, dimensions);
    assert.ok(line.response.embedding.values.every(Number.isFinite));
  }
  return uploaded;
}

async function embeddingsInline(model) {
  const contents = Array.from({length: 5}, (_, i) => `inline text ${i}`);
  const config = {outputDimensionality: dimensions, taskType: 'CLUSTERING', title: 't'};
  const job = await succeeded(await batches.createEmbeddings({
    model, src: {inlinedRequests: {contents, config}}}));
  const answers = job.dest.inlinedEmbedContentResponses;
  assert.equal(answers.length, contents.length);
  for (const answer of answers) assert.equal(answer.response.embedding.values.length, dimensions);
}

async function generationFromFile() {
  const uploaded = await uploadLines('generate.jsonl', (i) => (
    {contents: [{parts: [{text: `say ${i}`}]}], generationConfig: {temperature: 0.5}}));
  for (const src of [uploaded.name, {fileName: uploaded.name}]) {
    const byKey = await results(await succeeded(await batches.create({model: 'gemini-2.5-flash', src})));
    assert.equal(byKey.get('k7').response.candidates[0].content.parts[0].text, 'echo: say 7');
  }
}

async function generationInline() {
  const requests = [0, 1, 2].map((i) => ({
    contents: [{parts: [{text: `hello ${i}`}], role: 'user'}],
    config: {temperature: 0.5, systemInstruction: 'be brief', maxOutputTokens: 9},
    metadata: {key: `m${i}`}}));
  for (const src of [requests, {inlinedRequests: requests}]) {
    const job = await succeeded(await batches.create({model: 'gemini-2.5-flash', src}));
    const answers = new Map(job.dest.inlinedResponses.map((item) => [item.metadata.key, item.response]));
    assert.equal(answers.size, 3);
    for (const i of [0, 1, 2]) {
      const [candidate] = answers.get(`m${i}`).candidates;
      assert.equal(candidate.content.parts[0].text, `echo: hello ${i}`);
      assert.equal(candidate.finishReason, 'STOP');
    }
  }
}

// Bytes in several pieces, under a name of ours, from memory.
async function uploads() {
  const content = Buffer.from('0123456789abcdef'.repeat(9 << 16));
  const uploaded = await upload(new Blob([content], {type: mimeType}), content.length, {name: 'files/js'});
  assert.equal(uploaded.name, 'files/js');
  const hash = crypto.createHash('sha256').update(content).digest('hex');
  assert.equal(Buffer.from(uploaded.sha256Hash, 'base64').toString(), hash);  // It is kept as hex text.
}

async function namesOf(list) {
  const names = [];
  for await (const item of await list) names.push(item.name);
  return names.sort();
}

async function listing() {
  assert.deepEqual(await namesOf(batches.list({config: {pageSize: 2}})), [...jobs].sort());
  assert.deepEqual(await namesOf(batches.list()), [...jobs].sort());
  for (const pageSize of [1, 2, 100]) {
    assert.deepEqual(await namesOf(files.list({config: {pageSize}})), [...kept].sort());
  }
}

const refusedWith = (status, call) => assert.rejects(call, (error) => error.status === status);

async function cancelAndDelete(uploaded) {
  const {name, ...job} = await batches.createEmbeddings({
    model: 'gemini-embedding-001', src: {fileName: uploaded.name}});
  await batches.cancel({name});
  assert.match((await ended({name, ...job})).state, /_(CANCELLED|SUCCEEDED)$/);
  await batches.cancel({name});
  await batches.delete({name});
  await refusedWith(404, batches.get({name}));
  await refusedWith(404, batches.cancel({name}));
  await refusedWith(404, batches.delete({name}));
  await refusedWith(400, batches.create({model: 'gemini-2.5-flash', src: 'files/none'}));
}

async function getAndDeleteFiles({name, sha256Hash}) {
  assert.equal((await files.get({name})).sha256Hash, sha256Hash);
  await files.delete({name});
  kept.delete(name);
  await refusedWith(403, files.get({name}));
  await refusedWith(403, files.delete({name}));
}

async function register() {
  const auth = {getRequestHeaders: async () => ({Authorization: 'Bearer a-token-for-tests'})};
  const answer = await files.registerFiles({auth, uris: ['gs://bucket/one', 'gs://bucket/two']});
  assert.deepEqual(answer.files.map((file) => file.source), ['REGISTERED', 'REGISTERED']);
  for (const file of answer.files) kept.add(file.name);
}

async function atOnce() {
  const embedded = await models.embedContent({
    model: 'gemini-embedding-001', contents: ['one', 'two'],
    config: {outputDimensionality: dimensions}});
  assert.deepEqual(embedded.embeddings.map((e) => e.values.length), [dimensions, dimensions]);
  const counted = await models.countTokens({model: 'gemini-2.5-flash', contents: 'some text'});
  assert.equal(counted.totalTokens, 3);
  const answer = await models.generateContent({model: 'gemini-2.5-flash', contents: 'some text'});
  assert.equal(answer.text, 'echo: some text');
  assert.ok((await namesOf(models.list())).includes('models/gemini-2.5-flash'));
  assert.equal((await models.get({model: 'gemini-2.5-flash'})).inputTokenLimit, 1048576);
  await refusedWith(404, models.embedContent({model: 'text-embedding-004', contents: 'x'}));
}

async function main() {
  const uploaded = await embeddingsFromFile('gemini-embedding-001');
  await embeddingsFromFile('gemini-embedding-2');
  await embeddingsInline('gemini-embedding-001');
  await embeddingsInline('gemini-embedding-2');
  await generationFromFile();
  await generationInline();
  await uploads();
  await register();
  await listing();
  await cancelAndDelete(uploaded);
  await getAndDeleteFiles(uploaded);
  await listing();
  await atOnce();
  assert.deepEqual([...calledBatches].sort(), publicMethods('Batches').sort());
  assert.deepEqual([...calledFiles].sort(), publicMethods('Files').sort());
  console.log('javascript client: all calls answered as expected');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
