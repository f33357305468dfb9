// What a user of OpenAI's own package for Node would write, against the server whose address is the
// first argument. The first line that is not as it should be ends it with an error.

import assert from "node:assert/strict";
import OpenAI, { toFile } from "openai";

const client = new OpenAI({ baseURL: process.argv[2] + "v1", apiKey: process.argv[3], maxRetries: 0 });
const small = {
  prompt: "一只瓢虫,蓝色背景",
  size: "32x24",
  // Names of diffusers, which the package passes on.
  num_inference_steps: 4,
  max_sequence_length: 8,
  seed: 5,
};

const isPng = (base64) => Buffer.from(base64, "base64").subarray(1, 4).toString() === "PNG";

const models = await client.models.list();
assert.equal(models.data.length, 1);
assert.equal((await client.models.retrieve(models.data[0].id)).id, models.data[0].id);

const made = await client.images.generate({ ...small, model: "gpt-image-1", n: 2 });
assert.equal(made.data.length, 2);
assert.ok(isPng(made.data[0].b64_json));
assert.equal(made.data[1].seed, 6);
assert.equal(made.size, "32x24");

let partial = 0;
let completed = null;
for await (const event of await client.images.generate({ ...small, stream: true, partial_images: 2 })) {
  if (event.type === "image_generation.partial_image") {
    assert.equal(event.partial_image_index, partial++);
    assert.ok(isPng(event.b64_json));
  } else {
    assert.equal(event.type, "image_generation.completed");
    completed = event;
  }
}
assert.equal(completed.b64_json, made.data[0].b64_json);

const start = await toFile(Buffer.from(made.data[0].b64_json, "base64"), "start.png", { type: "image/png" });
const edited = await client.images.edit({ ...small, image: start, strength: 0.8 });
assert.ok(isPng(edited.data[0].b64_json));
const listed = await client.images.edit({ ...small, image: [start], strength: 0.8 });
assert.equal(listed.data[0].b64_json, edited.data[0].b64_json);

let last = null;
for await (const event of await client.images.edit({ ...small, image: start, strength: 0.8, stream: true })) last = event;
assert.equal(last.type, "image_edit.completed");
assert.equal(last.b64_json, edited.data[0].b64_json);

await assert.rejects(client.images.generate({ ...small, size: "31x24" }), (error) => {
  assert.ok(error instanceof OpenAI.BadRequestError, String(error));
  assert.match(error.message, /multiple/);
  return true;
});

const stranger = new OpenAI({ baseURL: process.argv[2] + "v1", apiKey: "wrong", maxRetries: 0 });
await assert.rejects(stranger.images.generate(small), OpenAI.AuthenticationError);

console.log("openai for Node: all as it should be");
