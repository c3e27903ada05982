import CZLib

/// Bytes packed with zlib: RFC 1950 around deflate, RFC 1951.
public enum Deflate {
  /// Packs bytes; equal bytes give equal ones with the same zlib.
  public static func packed(_ bytes: [UInt8]) -> [UInt8] {
    var count = compressBound(uLong(bytes.count))
    var packed = [UInt8](repeating: 0, count: Int(count))
    let status = compress2(&packed, &count, bytes, uLong(bytes.count), 6)
    precondition(status == Z_OK, "the bound holds")
    return Array(packed.prefix(Int(count)))
  }

  /// Unpacks what gives exactly so many bytes; nil for anything else.
  ///
  /// - Complexity: memory of `count` bytes, and none for more than the packed bytes can give.
  public static func unpacked(_ packed: [UInt8], count: Int) -> [UInt8]? {
    guard count >= 0, count / Inflater.largestExpansion <= packed.count else { return nil }
    var bytes = [UInt8](repeating: 0, count: max(count, 1))
    var (found, used) = (uLong(count), uLong(packed.count))
    let status = uncompress2(&bytes, &found, packed, &used)
    guard status == Z_OK, Int(found) == count, Int(used) == packed.count else { return nil }
    return Array(bytes.prefix(count))
  }
}
