import Foundation

/// The gnuplot program of this machine.
enum Gnuplot {
  /// Why a script was not drawn.
  struct Failure: Error {
    let reason: String
  }

  /// The first executable file called `gnuplot` on the search path.
  static func find() -> String? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return path.split(separator: ":").map { "\($0)/gnuplot" }.first {
      var isDirectory: ObjCBool = false
      return FileManager.default.fileExists(atPath: $0, isDirectory: &isDirectory)
        && !isDirectory.boolValue && FileManager.default.isExecutableFile(atPath: $0)
    }
  }

  /// Runs a script inside its folder, without the settings of the user.
  static func run(_ program: String?, script: String, inFolder folder: String) throws(Failure) {
    guard let program else { throw Failure(reason: "gnuplot is not on the search path") }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = ["--default-settings", script]
    process.currentDirectoryURL = URL(fileURLWithPath: folder, isDirectory: true)
    let messages = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = messages
    let text: String
    do {
      try process.run()
      // Read before waiting: a full pipe would stop gnuplot.
      let data = try messages.fileHandleForReading.readToEnd() ?? Data()
      text = String(decoding: data, as: UTF8.self)
    } catch {
      throw Failure(reason: "\(program) did not start: \(error.localizedDescription)")
    }
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      let lines = text.split(separator: "\n").suffix(3).joined(separator: " ").onOneLine
      throw Failure(reason: "\(program) failed (\(process.terminationStatus)): \(lines)")
    }
  }
}
