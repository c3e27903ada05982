import LinkMath
import Parts

/// How the BS turns reconstructed CSI into transmit weights.
public protocol Precoder: Part {
  /// Unit-norm weights for each tone: [drop, subcarrier, port], so that the UE receives `H[n] w[n]`.
  ///
  /// - Parameter reconstruction: [drop, subcarrier, port]; a tone without energy gets equal weights on all ports.
  func weights(_ reconstruction: ComplexArray) -> ComplexArray
}
