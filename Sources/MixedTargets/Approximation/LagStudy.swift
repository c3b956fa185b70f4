import ParallelLoops

/// Errors of ``LagKernel`` over numbers of heads, choices of nodes and sizes of weights.
public struct LagStudy: Sendable, Equatable {
  /// One line of the study.
  public struct Row: Sendable, Equatable {
    /// The number of heads H that the kernel might have.
    public let heads: Int
    /// How the nodes were chosen.
    public let choice: LagKernel.NodeChoice
    /// The most that Σ |weights| might be.
    public let budget: Double
    /// The kernel found; it holds the lag, the nodes and the exact error.
    public let kernel: LagKernel
    /// The kernel on the same nodes that is exact at the first H offsets; nil with H < i.
    public let interpolating: LagKernel?
    /// The error in double precision, and the exact one with what rounding may add.
    public let result: BoundedError
    /// With fewer heads than the lag: 1, which no kernel can be below, and the error found.
    public let lowerBound: BoundedError?
  }

  /// The kernel at one position.
  public struct PositionRow: Sendable, Equatable {
    /// The kernel.
    public let kernel: LagKernel
    /// How its nodes were chosen.
    public let choice: LagKernel.NodeChoice
    /// The position s.
    public let position: Int
    /// The error at s in double precision, and that of the kernel with what rounding may add.
    public let result: BoundedError
  }

  /// The lag i ≥ 1.
  public let lag: Int
  /// The numbers of heads H ≥ 1.
  public let heads: [Int]
  /// How nodes are chosen.
  public let choices: [LagKernel.NodeChoice]
  /// The sizes of weights.
  public let budgets: [Double]
  /// The largest rate of optimised nodes.
  public let largestRate: Double
  /// The positions s at which the softmax over the tokens before s is looked at.
  public let positions: [Int]

  /// A study of all combinations.
  public init(
    lag: Int, heads: [Int], choices: [LagKernel.NodeChoice], budgets: [Double],
    largestRate: Double, positions: [Int]
  ) {
    self.lag = lag
    self.heads = heads
    self.choices = choices
    self.budgets = budgets
    self.largestRate = largestRate
    self.positions = positions
  }

  /// Constructs the kernels and measures their errors.
  ///
  /// - Parameters:
  ///   - threads: threads to use; the rows do not depend on it.
  ///   - isStopped: asked before every combination; what comes after a yes has no rows.
  /// - Returns: one row for every combination, the budget varying fastest.
  public func rows(threads: Int, isStopped: () -> Bool) -> [Row] {
    let cases = choices.flatMap { choice in
      heads.flatMap { heads in budgets.map { (choice: choice, heads: heads, budget: $0) } }
    }
    return inLanes(cases.count, threads: threads, cost: { cases[$0].heads * cases[$0].heads }) {
      range in
      range.compactMap { index -> Row? in
        if isStopped() { return nil }
        let this = cases[index]
        return row(this.choice, heads: this.heads, budget: this.budget)
      }
    }.flatMap(\.self)
  }

  private func row(_ choice: LagKernel.NodeChoice, heads: Int, budget: Double) -> Row {
    let kernel = LagKernel.best(
      lag: lag, heads: heads, nodes: choice, budget: budget, largestRate: largestRate)
    return Row(
      heads: heads, choice: choice, budget: budget, kernel: kernel,
      interpolating: .interpolating(lag: lag, nodes: kernel.nodes),
      result: BoundedError(
        error: kernel.measuredError(), bound: kernel.error + kernel.roundingAllowance),
      lowerBound: heads < lag ? BoundedError(error: 1, bound: kernel.error) : nil)
  }

  /// Measures kernels at the positions where their lag exists.
  ///
  /// - Parameter rows: of this study.
  /// - Returns: for each choice of nodes the kernel of least error among the rows, at every position
  ///   beyond the lag.
  public func positionRows(of rows: [Row]) -> [PositionRow] {
    choices.flatMap { choice -> [PositionRow] in
      let own = rows.filter { $0.choice == choice && $0.heads >= lag }
      guard let kernel = own.min(by: { $0.kernel.error < $1.kernel.error })?.kernel else {
        return []
      }
      return positions.filter { $0 > lag }.map { position in
        PositionRow(
          kernel: kernel, choice: choice, position: position,
          result: BoundedError(
            error: kernel.measuredError(at: position),
            bound: kernel.error + kernel.roundingAllowance))
      }
    }
  }
}
