// One open file of the operating system, closed when its owner goes.

import Glibc

/// Calls `body` until a signal no longer interrupts it; gives its result or the `errno`.
func retrying<Value: BinaryInteger>(_ body: () -> Value) -> (value: Value, code: Int32) {
  while true {
    let value = body()
    if value >= 0 { return (value, 0) }
    if errno != EINTR { return (value, errno) }
  }
}

/// An owned file descriptor whose failures are ``RecordError``s about `path`.
package struct OpenFile: ~Copyable {
  /// The path to name in errors, not always the one that was opened.
  let path: String
  private var descriptor: CInt

  /// Opens `opened` (by default `path` itself) with the flags of open(2).
  package init(path: String, opened: String? = nil, flags: CInt) throws(RecordError) {
    let (descriptor, code) = retrying { open(opened ?? path, flags | O_CLOEXEC, 0o666) }
    guard descriptor >= 0 else { throw RecordError(path: path, call: "open", code: code) }
    self.path = path
    self.descriptor = descriptor
  }

  deinit {
    if descriptor >= 0 { _ = Glibc.close(descriptor) }
  }

  /// Takes the lock on the file, if no other process has it; it is released when the file is closed.
  func lockIfFree() throws(RecordError) -> Bool {
    let (value, code) = retrying { flock(descriptor, LOCK_EX | LOCK_NB) }
    if value == 0 { return true }
    guard code == EWOULDBLOCK else { throw RecordError(path: path, call: "flock", code: code) }
    return false
  }

  /// Whether it is this file that stands at a path.
  func isFile(at path: String) -> Bool {
    var (own, other) = (stat(), stat())
    return fstat(descriptor, &own) == 0 && lstat(path, &other) == 0
      && own.st_ino == other.st_ino && own.st_dev == other.st_dev
  }

  /// Writes all of `bytes`, however many calls that takes.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(RecordError) {
    var written = 0
    while written < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
      // Linux transfers at most 2 GiB − 4 KiB per call.
      let (count, code) = retrying {
        Glibc.write(descriptor, rest.baseAddress, min(rest.count, 1 << 30))
      }
      guard count >= 0 else { throw RecordError(path: path, call: "write", code: code) }
      written += count
    }
  }

  /// Up to `limit` next bytes; fewer only at the end of the file.
  func read(upTo limit: Int) throws(RecordError) -> [UInt8] {
    // An array of no capacity is one that all threads share.
    guard limit > 0 else { return [] }
    var code: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      count = 0
      while count < limit {
        let free = UnsafeMutableBufferPointer(rebasing: buffer[count...])
        let (got, failure) = retrying { Glibc.read(descriptor, free.baseAddress, free.count) }
        if got < 0 { code = failure }
        if got <= 0 { break }
        count += got
      }
    }
    guard code == 0 else { throw RecordError(path: path, call: "read", code: code) }
    return bytes
  }

  /// The size of the file.
  func byteCount() throws(RecordError) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw RecordError(path: path, call: "fstat", code: errno)
    }
    return Int(status.st_size)
  }

  /// Waits until the content is on the disk.
  ///
  /// EINVAL is no failure: some network file systems cannot sync a folder.
  func sync() throws(RecordError) {
    let (result, code) = retrying { fsync(descriptor) }
    guard result >= 0 || code == EINVAL else {
      throw RecordError(path: path, call: "fsync", code: code)
    }
  }

  /// Closes the file; a full network disk may report itself only here.
  mutating func close() throws(RecordError) {
    // > Retrying the close() after a failure return is the wrong thing to do   (close(2))
    let result = Glibc.close(descriptor)
    let code = errno
    descriptor = -1
    guard result >= 0 || code == EINTR else {
      throw RecordError(path: path, call: "close", code: code)
    }
  }

  /// The whole content of a file.
  ///
  /// A pipe would be waited for, and a device has no end: only files are read, and none larger than any of ours.
  package static func contents(
    of path: String, limit: Int = 1 << 34
  ) throws(RecordError) -> [UInt8] {
    let file = try OpenFile(path: path, flags: O_RDONLY | O_NONBLOCK)
    var status = stat()
    guard fstat(file.descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      status.st_size <= limit
    else {
      throw RecordError(
        path: path, reason: .malformed("no file of at most \(limit >> 20) MiB"),
        advice: "Was it changed by another program? Move it away.")
    }
    var all: [UInt8] = []
    while true {
      let chunk = try file.read(upTo: 1 << 20)
      if all.isEmpty { all = chunk } else { all += chunk }
      if chunk.count < 1 << 20 { return all }
    }
  }
}
