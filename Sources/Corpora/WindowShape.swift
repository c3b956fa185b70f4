/// Which earlier tokens a model can see from a position, and from which positions it reads.
///
/// The window at position l holds the tokens x_{l−λ} for the lags λ in use. A token before the
/// start of the sequence is absent, and so is the token of the output position L + 1 itself
/// (lag 0); absence is a symbol of its own, written as the number d.
public struct WindowShape: Sendable, Hashable {
  /// The positions the second attention layer reads.
  public enum ReadOutRange: Sendable, Hashable {
    /// l = M+1…L: positions whose window is complete.
    case fullWindow
    /// l = 1…L.
    case allPositions
  }

  /// d.
  public let vocabulary: Int
  /// The lags in use, ascending, ≥ 0; one column of the window each.
  public let lags: [Int]
  /// M, the reach of the first attention layer.
  public let reach: Int
  /// Which positions are read.
  public let range: ReadOutRange
  /// L, where windows at different positions of a sequence are different windows; nil where a window is the same
  /// everywhere.
  public let length: Int?

  /// Describes the windows of a model.
  ///
  /// - Parameters:
  ///   - vocabulary: d ≥ 2.
  ///   - lags: distinct lags in 0…reach, at least one.
  ///   - reach: M ≥ 1.
  ///   - range: which positions are read.
  ///   - length: L, where windows at different positions are different; at least the first position read.
  public init(vocabulary: Int, lags: [Int], reach: Int, range: ReadOutRange, length: Int? = nil) {
    precondition(!lags.isEmpty && Set(lags).count == lags.count, "lags must be distinct")
    precondition(lags.allSatisfy { (0...reach).contains($0) }, "lags must lie within the reach")
    self.vocabulary = vocabulary
    self.lags = lags.sorted()
    self.reach = reach
    self.range = range
    self.length = length
    precondition(length.map { $0 >= firstPosition } ?? true, "no position is read")
  }

  /// The positions that windows are told apart by: L + 1, the output, first, then those that are read; nil alone
  /// where they are not.
  public var positions: [Int?] {
    guard let length else { return [nil] }
    return [length + 1] + Array(firstPosition...length)
  }

  /// The first position read (positions count from 1).
  public var firstPosition: Int { range == .fullWindow ? reach + 1 : 1 }

  /// Number of symbols a column can hold.
  var symbols: Int { range == .allPositions || lags.first == 0 ? vocabulary + 1 : vocabulary }

  /// How many different windows could be written down, or nil beyond 2⁶³.
  public var codeCount: Int? {
    var count = positions.count
    for _ in lags {
      let (product, overflow) = count.multipliedReportingOverflow(by: symbols)
      if overflow { return nil }
      count = product
    }
    return count
  }

  /// The number that stands for the window at a position: digits in base d, or d + 1 where tokens can be
  /// absent, the smallest lag least significant, and above them the place of the position in ``positions``.
  ///
  /// - Parameters:
  ///   - position: 1…L + 1.
  ///   - tokens: x_1…x_{L+1}, zero-based.
  ///   - isOutput: whether this is the output position, which holds no token of its own.
  /// - Returns: the code, below `codeCount`.
  func code(
    at position: Int, in tokens: UnsafeBufferPointer<UInt8>, isOutput: Bool
  ) -> UInt64 {
    var code: UInt64 = 0
    if length != nil, !isOutput { code = UInt64(position - firstPosition + 1) }
    for lag in lags.reversed() {
      let exists = position - lag >= 1 && !(isOutput && lag == 0)
      let symbol = exists ? UInt64(tokens[position - lag - 1]) : UInt64(vocabulary)
      code = code * UInt64(symbols) + symbol
    }
    return code
  }

  /// Writes the codes of the windows at all positions that are read.
  ///
  /// Lag by lag, so that the loop over positions is a loop over vectors.
  ///
  /// - Parameters:
  ///   - tokens: x_1…x_{L+1}, zero-based.
  ///   - codes: receives the code of position l at index l, for l = `firstPosition`…L; its integers
  ///     must hold `codeCount`.
  func writeCodes<Code: FixedWidthInteger & UnsignedInteger>(
    of tokens: UnsafeBufferPointer<UInt8>, into codes: UnsafeMutableBufferPointer<Code>
  ) {
    // From here on no token of a window is absent.
    let whole = min(max(firstPosition, (lags.last ?? 0) + 1), tokens.count)
    for l in firstPosition..<whole {
      codes[l] = Code(truncatingIfNeeded: code(at: l, in: tokens, isOutput: false))
    }
    let base = Code(symbols)
    for l in whole..<tokens.count {
      codes[l] = length == nil ? 0 : Code(truncatingIfNeeded: l &- firstPosition &+ 1)
    }
    for lag in lags.reversed() {
      for l in whole..<tokens.count {
        codes[l] = codes[l] &* base &+ Code(truncatingIfNeeded: tokens[l &- lag &- 1])
      }
    }
  }

  /// The symbols of a window, in the order of `lags`, written one after the other, and where positions are told
  /// apart the place of its own in ``positions``.
  func decode(_ code: UInt64, into symbolsOfWindow: inout [UInt16]) {
    var rest = code
    for _ in lags {
      symbolsOfWindow.append(UInt16(rest % UInt64(symbols)))
      rest /= UInt64(symbols)
    }
    if length != nil { symbolsOfWindow.append(UInt16(rest)) }
  }

  /// Numbers that describe a window.
  var columns: Int { lags.count + (length == nil ? 0 : 1) }
}

/// The distinct windows that occur in a corpus.
public struct WindowTable: Sendable, Equatable {
  /// What the columns are.
  public let shape: WindowShape
  /// The symbols, shape (count, lags), with a column more where positions are told apart; the number d stands for
  /// an absent token.
  public let symbols: [UInt16]

  /// The table of given windows, one after the other.
  package init(shape: WindowShape, symbols: [UInt16]) {
    precondition(symbols.count % shape.columns == 0, "a window is not whole")
    self.shape = shape
    self.symbols = symbols
  }

  /// The number of distinct windows.
  public var count: Int { symbols.count / shape.columns }

  /// The symbol of a window in a column.
  public subscript(window: Int, column: Int) -> Int {
    Int(symbols[window * shape.columns + column])
  }

  /// The place of a window's position in ``WindowShape/positions``.
  public func position(of window: Int) -> Int {
    shape.length == nil ? 0 : self[window, shape.lags.count]
  }
}
