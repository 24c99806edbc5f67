// Embed WAV files with sherpa-onnx-node: one JSON array of numbers per line.
//
// e.g.: npm install sherpa-onnx-node
//       node tools/bench/embed_sherpa.js sherpa.onnx a.wav b.wav

const sherpa = require('sherpa-onnx-node');

const [model, ...files] = process.argv.slice(2);
const extractor = new sherpa.SpeakerEmbeddingExtractor(
    {model, numThreads: 1, debug: false, provider: 'cpu'});
for (const file of files) {
  const {samples, sampleRate} = sherpa.readWave(file);
  const stream = extractor.createStream();
  stream.acceptWaveform({sampleRate, samples});
  stream.inputFinished();
  console.log(JSON.stringify(Array.from(extractor.compute(stream))));
}
