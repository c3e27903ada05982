import Foundation
import Synchronization

/// Temporary files that killed processes have left beside their targets.
///
/// A temporary file is `TARGET.RANDOM.tmp` and locked by its writer (`flock`), whose end, however it comes, ends the
/// lock. Where the file system has no locks, nothing is removed.
enum Leftovers {
  /// Leftovers of each folder by target, as found when the process first wrote there.
  private static let known = Mutex<[String: [String: [String]]]>([:])

  /// A name for a temporary file that is not taken, in all likelihood.
  static func name(for target: String) -> String {
    "\(target).\(String(UInt64.random(in: .min ... .max), radix: 36)).tmp"
  }

  /// The name that a temporary file was to get; nil for other files.
  private static func target(of name: String) -> String? {
    guard let match = name.wholeMatch(of: /(.+)\.[0-9a-z]{1,13}\.tmp/) else { return nil }
    return String(match.1)
  }

  /// Removes those of a file that is about to be written.
  ///
  /// - Complexity: a folder is listed once by a process.
  static func remove(besides path: String) {
    let folder = AtomicFile.directoryPath(of: path)
    let target = path.split(separator: "/").last.map(String.init) ?? ""
    let names = known.withLock { known in
      var list = known[folder] ?? found(in: folder)
      let names = list.removeValue(forKey: target)
      known[folder] = list
      return names ?? []
    }
    for name in names { removeUnlessHeld("\(folder)/\(name)") }
  }

  /// Removes those in a folder whose targets fulfil the condition.
  static func remove(in folder: String, where isOwn: (_ target: String) -> Bool) {
    for (target, names) in found(in: folder) where isOwn(target) {
      for name in names { removeUnlessHeld("\(folder)/\(name)") }
    }
  }

  private static func found(in folder: String) -> [String: [String]] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    var found: [String: [String]] = [:]
    for name in names where name.hasSuffix(".tmp") {
      if let target = target(of: name) { found[target, default: []].append(name) }
    }
    return found
  }

  private static func removeUnlessHeld(_ path: String) {
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      flock(descriptor, LOCK_EX | LOCK_NB) == 0
    else { return }
    unlink(path)
  }

  /// Locks a new temporary file.
  ///
  /// - Returns: false if it was removed in the moment before.
  static func hold(_ descriptor: Int32) -> Bool {
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK { return false }
    var status = stat()
    return fstat(descriptor, &status) == 0 && status.st_nlink > 0
  }
}

extension AtomicFile {
  /// Removes temporary files of killed writers in a folder.
  ///
  /// - Parameters:
  ///   - folder: where to look, not below it.
  ///   - isOwn: whether files of this name are the caller's.
  public static func removeLeftovers(in folder: String, where isOwn: (_ target: String) -> Bool) {
    Leftovers.remove(in: folder, where: isOwn)
  }
}
