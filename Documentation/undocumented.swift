// Lists the public declarations in a folder of symbol graphs that have no documentation; fails if there are any. A member that
// fulfils a requirement of a protocol has that of the requirement.
import Foundation

struct SymbolGraph: Decodable {
  struct Module: Decodable { let name: String }
  struct Symbol: Decodable {
    struct Identifier: Decodable { let precise: String }
    struct Comment: Decodable {}
    let identifier: Identifier
    let pathComponents: [String]
    let docComment: Comment?
  }
  struct Relationship: Decodable {
    struct Origin: Decodable { let identifier: String }
    let source: String
    let sourceOrigin: Origin?
  }
  let module: Module
  let symbols: [Symbol]
  let relationships: [Relationship]
}

let folder = CommandLine.arguments[1]
let files = FileManager.default.enumerator(atPath: folder)!.compactMap { $0 as? String }
  .filter { $0.hasSuffix(".symbols.json") }.sorted()
let graphs = try files.map { file in
  try JSONDecoder().decode(
    SymbolGraph.self, from: Data(contentsOf: URL(filePath: "\(folder)/\(file)")))
}
let documented = Set(
  graphs.flatMap(\.symbols).filter { $0.docComment != nil }.map(\.identifier.precise))
var (count, silent) = (0, 0)
for graph in graphs {
  let origins = Dictionary(
    graph.relationships.compactMap { relation in
      relation.sourceOrigin.map { (relation.source, $0.identifier) }
    }, uniquingKeysWith: { first, _ in first })
  for symbol in graph.symbols {
    count += 1
    let precise = symbol.identifier.precise
    // Requirements of the standard library (`description`, `==`) are documented there.
    let origin = origins[precise]
    let inherits = origin.map {
      documented.contains($0) || $0.hasPrefix("s:s") || $0.hasPrefix("s:S")
    }
    guard symbol.docComment == nil, inherits != true else { continue }
    print("\(graph.module.name): \(symbol.pathComponents.joined(separator: "."))")
    silent += 1
  }
}
print("\(silent) of \(count) public declarations say nothing")
exit(silent == 0 ? 0 : 1)
