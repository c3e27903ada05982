import Codecs
import DataFiles
import Foundation
import LinkMath
import Networks
import Parts
import TestSupport
import Testing

/// The codec of the encoder and decoder that `Tests/Fixtures/onnx/make.py` exported, against onnxruntime's outputs.
@Suite struct ONNXCodecTests {
  private static func codec(
    _ encoder: String, _ decoder: String, taps: Int = 8, angles: Int = 8
  ) throws -> ONNXCodec {
    var context = context(taps: taps, angles: angles)
    context.directory = fixtures.appending(path: "onnx").path
    let settings = try ONNXCodec.schema.settings([
      "encoder": .text("\(encoder).onnx"), "decoder": .text("\(decoder).onnx"),
    ])
    return try ONNXCodec(settings, in: context)
  }

  private static func vectors(_ name: String) throws -> (input: RealArray, output: RealArray) {
    let file = try TensorFile(
      path: fixtures.appending(path: "onnx/\(name).safetensors").path)
    func array(_ key: String) throws -> RealArray {
      RealArray(try file.values(key), shape: file.tensors[key]!.shape)
    }
    return (try array("input"), try array("output"))
  }

  @Test func bothSidesAreThoseOfOnnxruntime() throws {
    let codec = try Self.codec("encoder", "decoder")
    #expect(codec.codewordLength == 32)
    #expect(codec.summary.contains("multiply-accumulates"))
    let (images, codewords) = try Self.vectors("encoder")
    let found = try codec.encode(CSIImages.csi(images)).values
    #expect(found.shape == codewords.shape)
    #expect(meanSquaredError(found, codewords).squareRoot() < 1e-5)
    let (received, reconstructions) = try Self.vectors("decoder")
    let csi = try codec.decode(Codeword(values: received))
    #expect(csi.shape == [3, 8, 8])
    #expect(meanSquaredError(CSIImages.images(csi), reconstructions).squareRoot() < 1e-5)
  }

  /// Files that do not suit the link or each other say what they need.
  @Test func misfits() throws {
    func reason(_ encoder: String, _ decoder: String, taps: Int = 8) -> String {
      let error = #expect(throws: SettingsError.self) {
        try Self.codec(encoder, decoder, taps: taps)
      }
      return "\(error?.key ?? "") \(error?.reason ?? "")"
    }
    #expect(
      reason("encoder", "decoder", taps: 16).hasPrefix(
        "encoder takes samples of the axes [2, 8, 8], but the CSI of the link has [2, 8, 16]"))
    #expect(
      reason("encoder", "transposed")
        == "decoder takes codewords of 16 values, but the encoder makes 32")
    #expect(reason("encoder", "encoder").hasPrefix("decoder makes samples of the axes [32]"))
    #expect(throws: DataFileError.self) { try Self.codec("encoder", "missing") }
    let both = #expect(throws: SeveralErrors.self) { try Self.codec("absent", "missing") }
    let files = (both?.errors ?? []).map { ($0 as? DataFileError)?.file ?? "" }
    #expect(files.count == 2 && files[0].hasSuffix("absent.onnx"), "\(files)")
    #expect(files.last?.hasSuffix("missing.onnx") == true, "\(files)")
  }
}
