// What the page carries compressed: scripts, facts and numbers.

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place++) bytes[place] = text.charCodeAt(place);
  return bytes;
}

async function unpack(id) {
  const text = document.getElementById(`packed-${id}`).textContent;
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

async function unpackText(id) {
  return new TextDecoder().decode(await unpack(id));
}

async function unpackFacts(id) {
  return JSON.parse(await unpackText(id));
}

async function unpackScript(id) {
  const script = document.createElement("script");
  script.textContent = await unpackText(id);
  document.head.append(script);
}
