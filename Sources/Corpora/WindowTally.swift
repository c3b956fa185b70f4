/// How often each window of one sequence occurs, and with which tokens.
///
/// A window's counts lie in a slot. Where few windows can be written down its slot is its code; else
/// an open-addressing table gives it one.
struct WindowTally {
  /// The most codes for which each has a slot of its own.
  static let largestTable = 1 << 14

  private let shape: WindowShape
  private let length: Int
  private let columns: Int
  private let slotMask: Int
  /// Code + 1 in each slot, 0 when the slot is empty; nothing where slots are codes.
  private var slotCodes: [UInt64] = []
  /// In each slot N(ω), and 2³² times N(ω, x_{L+1}).
  private var counts: [UInt64]
  /// If more than the target counts: N(ω, e), shape (slots, columns).
  private var tokenCounts: [UInt32] = []
  /// The slots in use are the first of these.
  private var used: [Int32]
  private var usedCount = 0
  /// The code of the window at each position, in the smallest of integers that holds it.
  private var smallCodes: [UInt16] = []
  private var largeCodes: [UInt64] = []

  /// Room for a sequence of L tokens; columns are d, or 1 if only the target counts.
  init(shape: WindowShape, length: Int, columns: Int) {
    self.shape = shape
    self.length = length
    self.columns = columns
    let codeCount = shape.codeCount ?? .max
    var slots = codeCount
    if codeCount <= Self.largestTable {
      smallCodes = [UInt16](repeating: 0, count: length + 1)
    } else {
      largeCodes = [UInt64](repeating: 0, count: length + 1)
      slots = 16
      while slots < 2 * min(length, codeCount) { slots *= 2 }
      slotCodes = [UInt64](repeating: 0, count: slots)
    }
    slotMask = slots - 1
    counts = [UInt64](repeating: 0, count: slots)
    if columns > 1 { tokenCounts = [UInt32](repeating: 0, count: slots * columns) }
    // One more than there can be: a slot is written first, and kept if it is new.
    used = [Int32](repeating: 0, count: min(length, slots) + 1)
  }

  /// The slots in use, in the order of the windows' first positions.
  var slots: some Sequence<Int> { used[..<usedCount].lazy.map(Int.init) }

  /// The code of the window in a slot in use.
  func code(ofSlot slot: Int) -> UInt64 {
    slotCodes.isEmpty ? UInt64(slot) : slotCodes[slot] - 1
  }

  /// N(ω).
  func count(inSlot slot: Int) -> UInt32 { UInt32(truncatingIfNeeded: counts[slot]) }

  /// N(ω, e) of a column.
  func targetCount(inSlot slot: Int, _ column: Int) -> UInt32 {
    columns > 1 ? tokenCounts[slot * columns + column] : UInt32(counts[slot] >> 32)
  }

  /// Empties the slots in use.
  mutating func clear() {
    for slot in used[..<usedCount].lazy.map(Int.init) {
      counts[slot] = 0
      if columns > 1 { for column in 0..<columns { tokenCounts[slot * columns + column] = 0 } }
      if !slotCodes.isEmpty { slotCodes[slot] = 0 }
    }
    usedCount = 0
  }

  /// Counts the windows of a sequence; the tally must be empty.
  ///
  /// - Parameter tokens: x_1…x_{L+1}.
  mutating func count(_ tokens: UnsafeBufferPointer<UInt8>) {
    let (shape, columns, mask) = (shape, columns, slotMask)
    let positions = shape.firstPosition...length
    let target = tokens[length]
    var used = 0
    self.used.withUnsafeMutableBufferPointer { slots in
      counts.withUnsafeMutableBufferPointer { counts in
        tokenCounts.withUnsafeMutableBufferPointer { tokenCounts in
          @inline(__always) func add(_ slot: Int, _ token: UInt8) {
            let count = counts[slot]
            // A slot that is in use already is overwritten by the next.
            slots[used] = Int32(truncatingIfNeeded: slot)
            used &+= count == 0 ? 1 : 0
            counts[slot] = count &+ (token == target ? 1 << 32 | 1 : 1)
            if columns > 1 { tokenCounts[slot &* columns &+ Int(token)] &+= 1 }
          }
          if slotCodes.isEmpty {
            smallCodes.withUnsafeMutableBufferPointer { codes in
              shape.writeCodes(of: tokens, into: codes)
              for l in positions { add(Int(codes[l]), tokens[l &- 1]) }
            }
            return
          }
          largeCodes.withUnsafeMutableBufferPointer { codes in
            slotCodes.withUnsafeMutableBufferPointer { slotCodes in
              shape.writeCodes(of: tokens, into: codes)
              for l in positions {
                let code = codes[l]
                // Fibonacci hashing spreads neighbouring codes over the table.
                var slot = Int(truncatingIfNeeded: (code &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
                while slotCodes[slot] != code + 1 {
                  if slotCodes[slot] == 0 {
                    slotCodes[slot] = code + 1
                  } else {
                    slot = (slot + 1) & mask
                  }
                }
                add(slot, tokens[l &- 1])
              }
            }
          }
        }
      }
    }
    usedCount = used
  }
}
