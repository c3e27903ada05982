import DataFiles
import Foundation
import Simulation

/// The numbers of each drop as a .npz file (or .mat, .safetensors), for evaluations of one's own.
///
/// There is an array [point, drop] for each number that the metrics keep, in double precision: `error_ratio`, whose mean over drops is
/// `nmse_db` before the logarithm, `full_ratio`, `rate` and others. Rows are those of `report.csv`; NaN is a number that a drop does not
/// have. Of several users it is the mean over the users of a drop.
public enum DropFile {
  /// Writes the drops of a result that lies in a folder.
  ///
  /// - Throws: `JournalError` without a journal; `DataFileError` for a file that cannot be written.
  /// - Complexity: O(points · drops · numbers) memory.
  public static func write(_ result: RecordedResult, to path: String) throws {
    let drops = try result.drops()
    let arrays = drops.names.map {
      ArrayInfo(
        name: $0, shape: [drops.pointCount, drops.dropCount], isComplex: false,
        elementType: .float64)
    }
    let writer = try ArrayFileWriter(path, arrays)
    for name in drops.names {
      for point in 0..<drops.pointCount {
        try writer.append(.double(drops.values(of: name, point: point)!))
      }
    }
    try writer.finish()
  }
}
