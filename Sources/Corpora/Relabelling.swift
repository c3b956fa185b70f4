/// When two window pairs (ω, q) count as one.
public enum PairIdentity: Sendable, Equatable {
  /// When both windows are equal.
  case distinct
  /// When one renaming of the tokens turns both windows of one pair into those of the other.
  ///
  /// Enough for every model that compares tokens and knows none by name: its k(ω, q) is the same for
  /// both, and with N(ω) added up over such ω the loss stays as it is. Each pair is stood for by the
  /// one whose tokens, read through q and then through ω, first occur in the order 0, 1, 2, …
  case upToRelabelling
}

/// Renames the tokens of window pairs into the order of their first occurrence.
struct Relabelling {
  private let shape: WindowShape
  private var symbols: [UInt16] = []
  /// The new name of each token, or −1; and the tokens that the query names.
  private var names: [Int32]
  private var named: [Int] = []
  private var namedByQuery = 0

  init(shape: WindowShape) {
    self.shape = shape
    names = [Int32](repeating: -1, count: shape.vocabulary)
  }

  /// The code that stands for a query; the keys that follow are renamed with it.
  mutating func query(_ code: UInt64) -> UInt64 {
    forget(from: 0)
    let renamed = rename(code)
    namedByQuery = named.count
    return renamed
  }

  /// The code that stands for a key of the last query.
  mutating func key(_ code: UInt64) -> UInt64 {
    let renamed = rename(code)
    forget(from: namedByQuery)
    return renamed
  }

  private mutating func forget(from first: Int) {
    for token in named[first...] { names[token] = -1 }
    named.removeSubrange(first...)
  }

  private mutating func rename(_ code: UInt64) -> UInt64 {
    symbols.removeAll(keepingCapacity: true)
    shape.decode(code, into: &symbols)
    for (column, symbol) in symbols.enumerated() where Int(symbol) < shape.vocabulary {
      let token = Int(symbol)
      if names[token] < 0 {
        names[token] = Int32(named.count)
        named.append(token)
      }
      symbols[column] = UInt16(names[token])
    }
    return shape.encode(symbols)
  }
}
