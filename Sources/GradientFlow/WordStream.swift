/// Values written one after the other as 64-bit words, to be read in the same order.
struct WordWriter {
  private(set) var words: [UInt64] = []

  mutating func add(_ value: Double) { words.append(value.bitPattern) }

  mutating func add(_ value: Int) { words.append(UInt64(bitPattern: Int64(value))) }

  mutating func add(_ value: Bool) { add(value ? 1 : 0) }

  mutating func add(_ values: [Double]) {
    add(values.count)
    for value in values { add(value) }
  }

  mutating func add(_ text: String) {
    let bytes = Array(text.utf8)
    add(bytes.count)
    for start in stride(from: 0, to: bytes.count, by: 8) {
      words.append(
        bytes[start..<min(start + 8, bytes.count)].reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
  }

  mutating func add<Value>(_ value: Value?, _ write: (inout WordWriter, Value) -> Void) {
    add(value != nil)
    if let value { write(&self, value) }
  }

  mutating func add<Value>(each values: [Value], _ write: (inout WordWriter, Value) -> Void) {
    add(values.count)
    for value in values { write(&self, value) }
  }
}

/// Reads what a ``WordWriter`` wrote; what does not fit is an error, never a crash.
struct WordReader {
  /// The words are no checkpoint of this flow.
  struct Mismatch: Error {}

  private let words: [UInt64]
  private var position = 0

  init(_ words: [UInt64]) { self.words = words }

  var isAtEnd: Bool { position == words.count }

  private mutating func next() throws(Mismatch) -> UInt64 {
    guard position < words.count else { throw Mismatch() }
    position += 1
    return words[position - 1]
  }

  /// A number; what is none belongs to no flow.
  mutating func real() throws(Mismatch) -> Double {
    let value = Double(bitPattern: try next())
    guard !value.isNaN else { throw Mismatch() }
    return value
  }

  mutating func integer() throws(Mismatch) -> Int { Int(Int64(bitPattern: try next())) }

  mutating func flag() throws(Mismatch) -> Bool { try integer() != 0 }

  /// A count of things of at least one word each.
  private mutating func count() throws(Mismatch) -> Int {
    let count = try integer()
    guard count >= 0, count <= words.count - position else { throw Mismatch() }
    return count
  }

  /// A list of reals; `expected` many, if that is known.
  mutating func reals(_ expected: Int? = nil) throws(Mismatch) -> [Double] {
    let count = try count()
    guard expected == nil || count == expected else { throw Mismatch() }
    position += count
    let values = words[(position - count)..<position].map(Double.init(bitPattern:))
    guard !values.contains(where: \.isNaN) else { throw Mismatch() }
    return values
  }

  mutating func text() throws(Mismatch) -> String {
    let count = try integer()
    guard count >= 0, count <= 8 * (words.count - position) else { throw Mismatch() }
    var bytes: [UInt8] = []
    while bytes.count < count {
      let word = try next()
      for i in 0..<min(8, count - bytes.count) {
        bytes.append(UInt8(truncatingIfNeeded: word >> (8 * i)))
      }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw Mismatch() }
    return text
  }

  mutating func optional<Value>(
    _ read: (inout WordReader) throws(Mismatch) -> Value
  ) throws(Mismatch) -> Value? {
    try flag() ? try read(&self) : nil
  }

  mutating func list<Value>(
    _ read: (inout WordReader) throws(Mismatch) -> Value
  ) throws(Mismatch) -> [Value] {
    let count = try count()
    var values: [Value] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try read(&self)) }
    return values
  }
}
