package import Corpora

/// The distinct windows of every layer of a stack of attention layers: those of the last one are the windows of
/// the data, and those of each earlier one what is seen of them from its own positions.
///
/// A position's window in a layer that reaches M lags back, over a layer that reaches M′, are its own lower window and
/// those of the M positions before it; so the data's windows reach M + M′ back. Below the first layer are tokens.
package struct WindowStages: Sendable {
  /// One attention layer's windows.
  package struct Stage: Sendable {
    /// Number of windows.
    package let count: Int
    /// Number of lower windows.
    package let lowerCount: Int
    /// For each lag from 0 on and each window: the lower window so many positions before, or −1 where there is
    /// no such position; shape (lags, windows).
    package let lower: [Int32]

    /// The lower window at a lag.
    package func lower(_ lag: Int, _ window: Int) -> Int { Int(lower[lag * count + window]) }
  }

  /// From the first layer to the last.
  package let stages: [Stage]

  /// Numbers the windows of all layers.
  ///
  /// - Parameters:
  ///   - windows: those of the data.
  ///   - reaches: how many lags back each layer reaches, from the first on; their sum is the data's reach.
  package init(_ windows: WindowTable, reaches: [Int]) {
    let shape = windows.shape
    // Symbols at every lag from 0 on; where a lag is in no window nothing depends on it.
    var contents = (0..<windows.count).map { window -> [Int] in
      var symbols = [Int](repeating: shape.vocabulary, count: reaches.reduce(0, +) + 1)
      for (column, lag) in shape.lags.enumerated() { symbols[lag] = windows[window, column] }
      return symbols
    }
    var stages: [Stage] = []
    for (layer, reach) in reaches.enumerated().reversed() {
      let below = reaches[..<layer].reduce(0, +)
      var numbers: [[Int]: Int] = [:]
      var distinct: [[Int]] = []
      var lower = [Int32](repeating: -1, count: (reach + 1) * contents.count)
      for (window, symbols) in contents.enumerated() {
        for lag in 0...reach where lag == 0 || symbols[lag] < shape.vocabulary {
          let part = Array(symbols[lag...lag + below])
          if layer == 0 {
            lower[lag * contents.count + window] = Int32(part[0])
            continue
          }
          if numbers[part] == nil {
            numbers[part] = distinct.count
            distinct.append(part)
          }
          lower[lag * contents.count + window] = Int32(numbers[part] ?? 0)
        }
      }
      stages.append(
        Stage(
          count: contents.count, lowerCount: layer == 0 ? shape.vocabulary + 1 : distinct.count,
          lower: lower))
      contents = distinct
    }
    self.stages = stages.reversed()
  }
}
