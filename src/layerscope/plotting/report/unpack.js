// What the page carries compressed: scripts, facts and numbers.

async function unpack(id) {
  const text = document.getElementById(`packed-${id}`).textContent;
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
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
