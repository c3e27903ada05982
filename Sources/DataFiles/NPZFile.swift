/// A zip archive of .npy members, stored or deflated, as `numpy.savez` writes it.
struct NPZFile: ArrayContainer {
  let entries: [ArrayEntry]
  private let directory: ZipDirectory
  private let members: [ZipDirectory.Member]

  init(_ window: ByteWindow) throws(DataFileError) {
    let directory = try ZipDirectory(window)
    members = directory.members.filter { $0.name.hasSuffix(".npy") }
    self.directory = directory
    entries = members.map { member in
      let name = String(member.name.dropLast(4))
      do throws(DataFileError) {
        let header = try Self.header(member, directory)
        return ArrayEntry(name: name, content: .success(header.info(name: name)))
      } catch {
        return ArrayEntry(name: name, content: .failure(error))
      }
    }
  }

  func source(of entry: Int) throws(DataFileError) -> any RowSource {
    let member = members[entry]
    let window = try Self.unpacked(member, directory)
    return try NPYHeader(window).rows(of: window, name: entries[entry].name)
  }

  private static func header(
    _ member: ZipDirectory.Member, _ directory: ZipDirectory
  ) throws(DataFileError) -> NPYHeader {
    let packed = try packed(member, directory)
    if member.method == 0 { return try NPYHeader(packed) }
    let headerBytes = NPYHeader.largestByteCount + 12
    return try NPYHeader(Inflater(input: packed, wrapper: .raw).prefix(headerBytes))
  }

  private static func packed(
    _ member: ZipDirectory.Member, _ directory: ZipDirectory
  ) throws(DataFileError) -> ByteWindow {
    var packed = try directory.packed(member)
    packed.variable = String(member.name.dropLast(4))
    guard !member.isEncrypted, member.method == 0 || member.method == 8 else {
      throw packed.error(
        expected: "a stored or deflated zip member",
        found: member.isEncrypted ? "an encrypted one" : "method \(member.method)",
        hint: "write the file with numpy.savez or numpy.savez_compressed")
    }
    return packed
  }

  /// The member's bytes; their CRC-32 has been checked.
  private static func unpacked(
    _ member: ZipDirectory.Member, _ directory: ZipDirectory
  ) throws(DataFileError) -> ByteWindow {
    let packed = try packed(member, directory)
    if member.method == 8 {
      return try Inflater(input: packed, wrapper: .raw).all(count: member.size, crc: member.crc)
    }
    guard member.size == member.packedSize else {
      throw packed.error(
        expected: "equal sizes of a stored member",
        found: "\(member.size) and \(member.packedSize) bytes")
    }
    try packed.checkCRC(member.crc, of: "zip member")
    return packed
  }
}
