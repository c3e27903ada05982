import Networks
import Testing

@Suite struct DescriptionTests {
  /// The printed layers hold every parameter once, whatever the network.
  @Test(arguments: NetworkZoo.standard.variants.map(\.name))
  func layersHoldAllParameters(_ name: String) throws {
    for compression in try NetworkZoo.standard.variant(name).compressions() {
      let network = try NetworkZoo.autoencoder(name, compression: compression)
      for side in [network.encoder, network.decoder] {
        let lines = side.layerLines
        #expect(
          lines.filter { $0.depth == 0 }.reduce(0) { $0 + $1.parameters } == side.parameterCount)
        // Blocks without parameters of their own add up what is below them.
        for (index, line) in lines.enumerated() where line.shape.isEmpty {
          let below = lines[(index + 1)...].prefix { $0.depth > line.depth }
          let children = below.filter { $0.depth == line.depth + 1 }
          #expect(children.reduce(0) { $0 + $1.parameters } == line.parameters, "\(line)")
        }
        #expect(SideDescription(side).costs == side.graph.costs)
      }
    }
  }

  @Test func linesOfCsiNet() throws {
    let lines = try NetworkZoo.autoencoder("csinet", compression: 4).encoder.layerLines
    #expect(lines.map(\.key) == ["enc_conv", "enc_bn", "enc_fc"])
    #expect(lines.map(\.shape) == [[2, 32, 32], [2, 32, 32], [512]])
    #expect(lines.map(\.parameters) == [38, 4, 1_049_088])
    #expect(lines[0].layer == "Convolution(2 → 2, 3×3, bias)")
    #expect(lines[1].followedBy == ["LeakyReLU(0.3)", "reshape to 2048"])
    let tree = try NetworkZoo.autoencoder("csinet", compression: 4).encoder.tree
    #expect(
      tree.split(separator: "\n").last
        == "enc_fc    Dense(2048 → 512)                  512   1,049,088")
  }

  /// TransNet passes each layer twice and projects queries apart from keys and values.
  @Test func repeatedLayers() throws {
    let lines = try NetworkZoo.autoencoder("transnet", compression: 4).decoder.layerLines
    let attention = lines.filter { $0.layer.hasPrefix("MultiHead") }
    #expect(attention.count == 2)
    #expect(attention.allSatisfy { $0.layer.hasSuffix("used 2 times") })
    #expect(lines.first { $0.key == "fc_decoder" }?.layer == "Dense(512 → 2048)")
  }

  /// Bytes count statistics: CsiNet has 2 + 2 (8 + 16 + 2) channels with mean and variance.
  @Test func sizesOfCsiNet() throws {
    let description = NetworkDescription(try NetworkChoice("csinet", compression: 4))
    #expect(description.both.parameters == 2_103_116)
    #expect(description.both.denseParameters == 2 * 2048 * 512 + 512 + 2048)
    #expect(description.both.weightBytes == 4 * (2_103_116 + 2 * (2 + 2 * 26)))
  }

  /// Projections of attention are fully connected; all but LayerNorm is.
  @Test func denseParametersOfTransNet() throws {
    let both = NetworkDescription(try NetworkChoice("transnet", compression: 4)).both
    #expect(both.parameters - both.denseParameters == 2 * 2 * 64 + 4 * 2 * 64)
  }
}
