import COpenSSL

/// SHA-256 of a byte stream, by OpenSSL.
public struct Digest: ~Copyable {
  private let context: OpaquePointer

  /// The digest of no bytes yet.
  public init() {
    context = EVP_MD_CTX_new()
    let started = EVP_DigestInit_ex(context, EVP_sha256(), nil)
    precondition(started == 1, "OpenSSL without SHA-256")
  }

  deinit { EVP_MD_CTX_free(context) }

  /// Appends bytes; several calls give the digest of one call with all of them.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  /// The digest as 64 hexadecimal digits.
  public consuming func finish() -> String {
    var bytes = [UInt8](repeating: 0, count: 32)
    EVP_DigestFinal_ex(context, &bytes, nil)
    return bytes.map { byte in
      let text = String(byte, radix: 16)
      return text.count == 1 ? "0" + text : text
    }.joined()
  }

  /// The SHA-256 of a text's UTF-8 bytes, as 64 hexadecimal digits.
  public static func sha256(_ text: String) -> String {
    var digest = Digest()
    var text = text
    text.withUTF8 { digest.update(UnsafeRawBufferPointer($0)) }
    return digest.finish()
  }
}
