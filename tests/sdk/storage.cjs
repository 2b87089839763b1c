// The operations of @google-cloud/storage, without a sign-in: at an address that is not Google's this
// client sends none with its resumable uploads. Every answer is looked into.
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const {Storage} = require('@google-cloud/storage');

const [scratch, url] = process.argv.slice(2);
const chunk = 256 * 1024;
const content = crypto.createHash('shake256', {outputLength: 3 * chunk + 4321}).update('x').digest();
const hasCode = code => error => error.code === code || assert.fail(`${error.code}: ${error.message}`);

async function checkObjects(bucket) {
  const small = bucket.file('dir/small ä.txt');
  await small.save('content', {
    resumable: false,
    metadata: {contentType: 'text/plain', metadata: {run: '7'}},
    preconditionOpts: {ifGenerationMatch: 0},
  });
  await assert.rejects(
    small.save('other', {resumable: false, preconditionOpts: {ifGenerationMatch: 0}}), hasCode(412));
  assert.equal((await small.download())[0].toString(), 'content');
  const [metadata] = await small.getMetadata();
  assert.equal(metadata.metadata.run, '7');
  assert.equal(metadata.contentType, 'text/plain');
  assert.equal(Number(metadata.size), 7);

  const local = path.join(scratch, 'large.bin');
  fs.writeFileSync(local, content);
  const [large] = await bucket.upload(local, {
    destination: 'dir/large.bin', resumable: true, chunkSize: chunk, validation: 'crc32c',
    preconditionOpts: {ifGenerationMatch: 0},
  });
  assert.deepEqual((await large.download({validation: 'crc32c'}))[0], content);
  assert.deepEqual((await large.download({start: 10, end: 19}))[0], content.subarray(10, 20));
  await bucket.file('dir/whole.bin').save(content, {resumable: true, validation: 'md5'});
  assert.deepEqual((await bucket.file('dir/whole.bin').download())[0], content);
  return {small, large};
}

async function checkLists(storage, bucket) {
  for (let i = 0; i < 5; ++i) {
    await bucket.file(`list/${i}`).save(String(i), {resumable: false});
  }
  const [files] = await bucket.getFiles({prefix: 'list/', maxResults: 2, autoPaginate: true});
  assert.ok(files.length >= 2);
  const names = [];
  for await (const file of bucket.getFilesStream({prefix: 'list/'})) {
    names.push(file.name);
  }
  assert.deepEqual(names, [0, 1, 2, 3, 4].map(i => `list/${i}`));
  const [, , answer] = await bucket.getFiles({delimiter: '/', autoPaginate: false});
  assert.deepEqual(answer.prefixes, ['dir/', 'list/']);
  assert.deepEqual(await bucket.exists(), [true]);
  assert.deepEqual(await storage.bucket('no-such-bucket').exists(), [false]);
  await assert.rejects(storage.createBucket(bucket.name), hasCode(409));
}

async function checkComposeAndDelete(bucket, {small, large}) {
  const both = bucket.file('dir/both');
  await bucket.combine([small, small], both);
  assert.equal((await both.download())[0].toString(), 'contentcontent');
  await large.delete();
  await assert.rejects(large.delete(), hasCode(404));
  await assert.rejects(large.download(), hasCode(404));
  assert.deepEqual(await large.exists(), [false]);
}

async function main() {
  const storage = new Storage({apiEndpoint: url, projectId: 'local-project'});
  const [bucket] = await storage.createBucket('node-bucket');
  const made = await checkObjects(bucket);
  await checkLists(storage, bucket);
  await checkComposeAndDelete(bucket, made);
  console.log('@google-cloud/storage: all operations did what they should');
}

main().catch(error => {
  console.error(error);
  process.exit(1);
});
