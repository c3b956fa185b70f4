import Corpora
import LinearAlgebra
import MarkovChains
import Objectives
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Which lags a model compares windows at, whatever it is made of: shares of sets of lags, from its scores alone.
///
/// Let M_A be the mean of the score k(ω, q) over all pairs of windows whose tokens agree exactly at the lags A, and
/// p_S = Σ_{A⊆S} (−1)^{|S∖A|} M_A its Möbius inverse. Then Σ_S p_S 1[ω and q agree on S] is what is left of the score
/// when it is averaged over all renamings of tokens, lag by lag; of the kernel of *Unveiling Induction Heads* with
/// one-hot heads p_S is c_S²/C_D itself (derived in the article *The full transformer*). The share of S is
/// |p_S|/Σ_T |p_T| over the non-empty sets, and what the agreement does not explain is a share of the variance of k.
public final class LearnedShares: Sendable {
  /// The non-empty sets S of lags.
  let sets: [[Int]]
  private let model: FullTransformer
  private let state = Mutex<State?>(nil)

  /// What one evaluation needs, and its last result.
  private final class State {
    let stack: LayerStack
    /// Windows as keys and as queries, as columns of the stack's tables.
    let keys, queries: [Int]
    /// For each pair (key, query): the lags at which they agree.
    let patterns: [UInt16]
    /// How many pairs agree exactly at each set of lags.
    let counts: [Int]
    let keyFeatures, queryFeatures, overlaps, products, scores: Buffer
    var parameters: [Double] = []
    var result: [Double] = []

    /// Lists all windows.
    init(_ model: FullTransformer) {
      let shape = model.windowShape
      let (d, lags) = (model.vocabulary, model.window)
      let hasOwn = shape.lags.first == 0
      var symbols: [UInt16] = []
      var (keys, queries): ([Int], [Int]) = ([], [])
      let contents = LearnedShares.power(d, shape.lags.count - (hasOwn ? 1 : 0))
      var seen: [[Int]] = []
      for own in hasOwn ? Array(0...d) : [d] {
        for code in 0..<contents {
          var rest = code
          var window = [Int](repeating: -1, count: lags)
          if hasOwn { symbols.append(UInt16(own)) }
          for lag in shape.lags where lag > 0 {
            window[lag - 1] = rest % d
            symbols.append(UInt16(rest % d))
            rest /= d
          }
          if own == d { queries.append(seen.count) }
          if own < d || !hasOwn { keys.append(seen.count) }
          seen.append(window)
        }
      }
      var counts = [Int](repeating: 0, count: 1 << lags)
      var patterns: [UInt16] = []
      for key in keys {
        for query in queries {
          // A lag that no head looks at is one that windows do not differ at.
          let pattern = (0..<lags).reduce(0) {
            seen[key][$1] >= 0 && seen[key][$1] == seen[query][$1] ? $0 | 1 << $1 : $0
          }
          patterns.append(UInt16(pattern))
          counts[pattern] += 1
        }
      }
      let table = WindowTable(shape: shape, symbols: symbols)
      let stages = WindowStages(table, reaches: model.attention.map(\.reach))
      let pairs = keys.count * queries.count
      stack = LayerStack(model, stages)
      (self.keys, self.queries, self.patterns, self.counts) = (keys, queries, patterns, counts)
      keyFeatures = Buffer(stack.width * keys.count)
      queryFeatures = Buffer(stack.width * queries.count)
      overlaps = Buffer(stack.blocks * pairs)
      products = Buffer(pairs)
      scores = Buffer(pairs)
    }
  }

  /// The most pairs of windows over which a score is averaged.
  public static let largestPairCount = 1 << 22

  /// Pairs of a window with its own token and an output position, d^{2M+1}; nil beyond 2⁶³.
  public static func pairCount(vocabulary: Int, window: Int) -> Int? {
    var count = 1
    for _ in 0..<2 * window + 1 {
      let (product, overflow) = count.multipliedReportingOverflow(by: vocabulary)
      if overflow { return nil }
      count = product
    }
    return count
  }

  /// The shares of a model; its windows are listed when they are first asked for.
  ///
  /// - Parameter model: a transformer with at most ``largestPairCount`` pairs of windows.
  public init(_ model: FullTransformer) {
    self.model = model
    sets = LagSets.all(window: model.window, largest: model.window)
  }

  fileprivate static func power(_ base: Int, _ exponent: Int) -> Int {
    (0..<exponent).reduce(1) { product, _ in product * base }
  }

  /// The shares of all sets, then the unexplained part of the variance, then the mean attention of every head of
  /// every layer on its lags.
  func observe(_ parameters: Span<Double>) -> [Double] {
    state.withLock { state in
      let state = Self.made(&state, model)
      if !state.parameters.isEmpty,
        parameters.indices.allSatisfy({ parameters[$0] == state.parameters[$0] })
      {
        return state.result
      }
      state.parameters = parameters.indices.map { parameters[$0] }
      state.result = evaluate(parameters, state)
      return state.result
    }
  }

  private static func made(_ state: inout State?, _ model: FullTransformer) -> State {
    if let state { return state }
    let made = State(model)
    state = made
    return made
  }

  private func evaluate(_ parameters: Span<Double>, _ state: State) -> [Double] {
    parameters.withUnsafeBufferPointer { parameters in
      if let parameters = parameters.baseAddress { state.stack.prepare(parameters) }
    }
    let pairs = state.keys.count * state.queries.count
    scores(parameters, state)
    let (scores, patterns) = (state.scores.pointer, state.patterns)
    var sums = [Double](repeating: 0, count: state.counts.count)
    var (total, squares) = (0.0, 0.0)
    for pair in 0..<pairs {
      sums[Int(patterns[pair])] += scores[pair]
      total += scores[pair]
    }
    let mean = total / Double(pairs)
    for pair in 0..<pairs { squares += (scores[pair] - mean) * (scores[pair] - mean) }
    var means = zip(sums, state.counts).map { $1 == 0 ? 0 : $0 / Double($1) }
    let explained = zip(means, state.counts).reduce(0.0) {
      $0 + Double($1.1) * ($1.0 - mean) * ($1.0 - mean)
    }
    // Lags that no head looks at are in no set that has a share.
    for lag in model.windowShape.lags.compactMap({ $0 > 0 ? $0 - 1 : nil }) {
      for set in means.indices where set & 1 << lag != 0 { means[set] -= means[set ^ 1 << lag] }
    }
    let sizes = sets.map { set in abs(means[set.reduce(0) { $0 | 1 << ($1 - 1) }]) }
    let size = sizes.reduce(0, +)
    return sizes.map { size > 0 ? $0 / size : 0 }
      + [squares > 0 ? max(0, 1 - explained / squares) : 0] + attention(state)
  }

  /// k of every pair.
  private func scores(_ parameters: Span<Double>, _ state: State) {
    let (stack, form) = (state.stack, model.kernel)
    let (n, m) = (state.keys.count, state.queries.count)
    for row in 0..<stack.width {
      for (i, window) in state.keys.enumerated() {
        state.keyFeatures.pointer[row * n + i] = stack.keys.pointer[row * stack.rowLength + window]
      }
      for (i, window) in state.queries.enumerated() {
        state.queryFeatures.pointer[row * m + i] =
          stack.queries.pointer[row * stack.rowLength + window]
      }
    }
    for block in 0..<stack.blocks {
      let first = block * stack.blockWidth
      multiply(
        MatrixView(state.keyFeatures.pointer + first * n, rows: stack.blockWidth, columns: n)
          .transposed,
        MatrixView(state.queryFeatures.pointer + first * m, rows: stack.blockWidth, columns: m),
        into: state.overlaps.pointer + block * n * m)
    }
    if form.isRectified {
      for i in 0..<stack.blocks * n * m {
        state.overlaps.pointer[i] = max(state.overlaps.pointer[i], 0)
      }
    }
    state.scores.clear()
    for (members, weight) in zip(form.subsets.members, form.weights(parameters)) where weight != 0 {
      state.products.pointer.update(repeating: weight, count: n * m)
      for block in members {
        multiply(
          state.products.pointer, state.overlaps.pointer + block * n * m,
          into: state.products.pointer, n * m)
      }
      state.scores.add(state.products)
    }
  }

  /// The mean of σ over the keys of the last layer, and over all windows of those below.
  private func attention(_ state: State) -> [Double] {
    var values: [Double] = []
    for (index, (layer, mixing)) in zip(model.attention, state.stack.attention).enumerated() {
      let windows =
        index == model.attention.count - 1 ? state.keys : Array(0..<mixing.output.count)
      for (h, head) in layer.heads.enumerated() {
        var sums = [Double](repeating: 0, count: head.lags.count + (layer.seesItself ? 1 : 0))
        for window in windows {
          for (i, value) in mixing.attention(head: h, window: window).enumerated() {
            sums[i] += value / Double(windows.count)
          }
        }
        values += sums
      }
    }
    return values
  }

  /// Names of what ``observe(_:)`` gives.
  static func names(_ model: FullTransformer) -> [String] {
    LagSets.all(window: model.window, largest: model.window).map { "share.\(LagSets.name($0))" }
      + ["unexplained"]
      + model.attention.enumerated().flatMap { index, layer in
        layer.heads.enumerated().flatMap { h, head in
          ((layer.seesItself ? [0] : []) + head.lags).map {
            "\(StackPlan.prefix(index))attention.\(h + 1).\($0)"
          }
        }
      }
  }

  /// Log-odds up to which nothing counts as having risen through zero: shares that are equal by symmetry.
  private static let tie = 1e-10

  /// `selection.S`: the share of S reaches 1/2; `selection-complete.S`: it reaches `completeShare`.
  func phaseEvents(groups: [String], completeShare: Double?) -> [PhaseEvent] {
    sets.enumerated().flatMap { i, set -> [PhaseEvent] in
      let logOdds: @Sendable (Span<Double>) -> Double = { [self] parameters in
        let share = observe(parameters)[i]
        return log(max(share, .leastNormalMagnitude))
          - log(max(1 - share, .leastNormalMagnitude))
      }
      let name = LagSets.name(set)
      // a alone changes no score.
      let groups = groups.filter { $0 != "a" }
      var events = [
        PhaseEvent(name: "selection.\(name)", groups: groups) { logOdds($0) - Self.tie }
      ]
      if let completeShare, completeShare > 0.5 {
        let level = log(completeShare / (1 - completeShare))
        events.append(
          PhaseEvent(name: "selection-complete.\(name)", groups: groups) { logOdds($0) - level })
      }
      return events
    }
  }

  /// Which lags the scores compare windows at.
  ///
  /// - Parameter parameters: θ.
  /// - Returns: the set of lags with the largest share, that share, and the share of the scores' variance that
  ///   agreement at lags does not explain.
  public func selection(
    at parameters: [Double]
  ) -> (leader: [Int], leadingShare: Double, unexplained: Double) {
    let values = observe(parameters.span)
    let best = sets.indices.reduce(0) { values[$1] > values[$0] ? $1 : $0 }
    return (sets[best], values[best], values[sets.count])
  }
}
