import LinkMath
import Parts

/// How the UE brings its estimate to the domain of the codec, and the BS what it decodes back to a frequency response.
public protocol CSITransform: Sendable {
  /// Rows of the CSI of a drop, such as kept delays; its columns are as many as ports.
  var rowCount: Int { get }

  /// What the entries of CSI are.
  var form: LinkContext.CSIForm { get }

  /// Frequency response [drop, subcarrier, port] to CSI [drop, row, column].
  func forward(_ response: ComplexArray) throws -> ComplexArray

  /// CSI [drop, row, column] to the frequency response [drop, subcarrier, port], as far as the CSI tells it.
  func inverse(_ csi: ComplexArray) -> ComplexArray
}

extension CSITransform {
  /// Coefficients by delay and angle.
  public var form: LinkContext.CSIForm { .angularDelay }

  /// Whether CSI has the scale of the channel, and its energy but for what is cut off.
  public var keepsEnergy: Bool { form == .angularDelay }
}

/// Every transform a scenario can name.
public enum TransformRegistry {
  /// The transforms, in the order in which `csilink list` shows them.
  public static let transforms: [any (CSITransform & Part).Type] = [
    AngularDelayTransform.self, SubbandEigenvectors.self,
  ]
}
