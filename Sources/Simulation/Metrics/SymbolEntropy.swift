import Codecs
import Coding
import Foundation
import LinkMath
import Parts

extension Column {
  /// The bits that ideal coding of single symbols takes.
  public static let symbolEntropy = number(
    "symbol_entropy_bits", unit: "bit",
    "Empirical entropy of a codeword's symbols, each output with frequencies of its own, in fitted drops; without gain and overhead. A coder that knows neighbours may take less. Empty without symbols."
  ) { $0.constants.symbolEntropy }
}

/// What an ideal coder of single symbols would send.
public struct SymbolEntropy: Metric {
  public static let schema = PartSchema(
    .metric, "symbol_entropy",
    "Column symbol_entropy_bits: the sum of the empirical entropies of a codeword's symbols.",
    reference: "T. M. Cover, J. A. Thomas, Elements of Information Theory (2006), section 2.1")
  public static let columns: [Column] = [.symbolEntropy]

  public init() {}
}

/// Learns how often each output of a quantiser takes each level.
struct SymbolFrequencies {
  static let dropCount = 4000

  /// `sum over outputs of -sum over levels of p log2 p` with the frequencies p in drops of the domain 'fit'; nil without symbols.
  ///
  /// Frequencies of N drops understate the entropy of L levels by about `(L - 1) / (2 N ln 2)` bit an output.
  static func entropy(_ front: FrontEnd, _ report: Settings, _ store: FittingStore) throws
    -> Double?
  {
    guard let alphabets = front.quantizer?.alphabets else { return nil }
    let drops = min(dropCount, front.channel.dropCount(in: .fit) ?? dropCount)
    let fitting = Fitting(
      dropCount: drops, signature: "symbol entropy", shapes: ["bits": [alphabets.count]]
    ) {
      Counter(counts: [[UInt32: Int]](repeating: [:], count: alphabets.count))
    }
    let artefact = try store.artefact(for: fitting, part: report, front)
    return artefact["bits"]!.elements.reduce(0) { $0 + Double($1) }
  }

  private struct Counter: Fitter {
    var counts: [[UInt32: Int]]

    mutating func add(_ input: StageInput) {
      guard case .symbols(let codewords) = input else {
        preconditionFailure("entropies are learned from symbols")
      }
      for codeword in codewords {
        for (i, symbol) in codeword.enumerated() { counts[i][symbol, default: 0] += 1 }
      }
    }

    func finish() throws -> Artefact {
      let bits = counts.map { counts in
        // Sorted: a dictionary's order is another one in each process.
        let frequencies = counts.values.sorted()
        let total = Double(frequencies.reduce(0, +))
        return Float(
          frequencies.reduce(0.0) { $0 - Double($1) / total * log2(Double($1) / total) })
      }
      return Artefact(["bits": RealArray(bits, shape: [bits.count])])
    }
  }
}
