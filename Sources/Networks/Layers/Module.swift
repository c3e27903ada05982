/// A node of the tree of layers that defines a network; keys along the path to a parameter, joined by
/// dots, are its name in a weights file.
public protocol Module: Sendable {
  /// A module below another one, and its part of the dotted keys.
  typealias Child = (key: String, module: any Module)
  /// The modules below this one, in the order of the printed tree.
  var children: [Child] { get }
  /// Its own parameters and statistics, without those of the modules below.
  var parameters: [(key: String, parameter: NetworkParameter)] { get }
  /// One line for the printed tree.
  var summary: String { get }
}

extension Module {
  /// None.
  public var children: [Child] { [] }
  /// None.
  public var parameters: [(key: String, parameter: NetworkParameter)] { [] }
  /// Name of the type.
  public var summary: String { "\(type(of: self))" }

  /// All parameters below this module with their dotted keys, in tree order; a layer used in several places
  /// is listed once.
  public var parametersByKey: [(key: String, parameter: NetworkParameter)] {
    var seen: Set<ObjectIdentifier> = []
    var found: [(key: String, parameter: NetworkParameter)] = []
    func walk(_ module: any Module, _ prefix: String) {
      for (key, parameter) in module.parameters
      where seen.insert(ObjectIdentifier(parameter)).inserted {
        found.append((prefix + key, parameter))
      }
      for child in module.children { walk(child.module, prefix + child.key + ".") }
    }
    walk(self, "")
    return found
  }
}

/// A module with one input and one output.
public protocol Layer: Module {
  /// The signal behind the layer; traces what the layer does.
  func callAsFunction(_ x: Signal) -> Signal
}

/// Layers applied one after another, under the keys given, or "0", "1", ...
public struct Sequential: Layer {
  let layers: [(key: String, layer: any Layer)]

  /// Layers under keys of their own.
  public init(_ layers: [(key: String, layer: any Layer)]) { self.layers = layers }

  /// Layers under the keys "0", "1", ...
  public init(_ layers: [any Layer]) {
    self.layers = layers.enumerated().map { ("\($0.offset)", $0.element) }
  }

  public var children: [Child] { layers.map { ($0.key, $0.layer) } }

  public func callAsFunction(_ x: Signal) -> Signal { layers.reduce(x) { $1.layer($0) } }
}
