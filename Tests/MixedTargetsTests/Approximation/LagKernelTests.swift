import BigInt
import Foundation
import MarkovChains
import MixedTargets
import Testing

@Suite struct LagKernelTests {
  // MARK: - Kernels in closed form

  /// The amplitudes of L_m by elimination in exact rationals.
  private static func exactAmplitudes(_ nodes: [Double], at m: Int) -> [Rational] {
    let n = nodes.count
    var rows = (0..<n).map { j -> [Rational] in
      nodes.map { q in (0..<j).reduce(Rational(1)) { product, _ in product * Rational(q) } }
        + [Rational(j == m ? 1 : 0)]
    }
    for c in 0..<n {
      for r in 0..<n where r != c {
        let factor = rows[r][c] / rows[c][c]
        for k in c...n { rows[r][k] = rows[r][k] - factor * rows[c][k] }
      }
    }
    return (0..<n).map { rows[$0][n] / rows[$0][$0] }
  }

  private static let nodeSets: [[Double]] = [
    [0.5], [0.5, 0.25], [0.75, 0.5, 0.015625], [0.001, 0.00075, 0.0005, 0.00025],
    (1...8).map { exp2(-Double($0)) },
  ]

  @Test(arguments: nodeSets)
  func cardinalKernelsAreExact(values: [Double]) {
    let nodes = AttentionNodes(values)
    let count = values.count
    let tails = nodes.tails(length: 12)
    for m in 0..<count {
      let exact = Self.exactAmplitudes(nodes.values, at: m)
      for (amplitude, exact) in zip(nodes.cardinalAmplitudes(at: m), exact) {
        // About 5H roundings of 1.1e−16.
        #expect(abs(amplitude / exact.double - 1) < 1e-14)
      }
      for offset in 0..<12 {
        var value = Rational(0)
        for (amplitude, q) in zip(exact, nodes.values) {
          value =
            value
            + (0..<(count + offset)).reduce(amplitude) { product, _ in product * Rational(q) }
        }
        #expect(abs(tails[offset * count + m] / value.double - 1) < 1e-14)
      }
      // The whole tail by the generating function at 1: Σ_j L_m(j) = Σ_h A_h/(1 − q_h).
      let sum = zip(exact, nodes.values).reduce(Rational(0)) {
        $0 + $1.0 / (Rational(1) - Rational($1.1))
      }
      let tail = (sum - Rational(1)).magnitude.double
      #expect(abs(nodes.tailSums[count - 1 - m] / tail - 1) < 1e-14)
      let weight = zip(exact, nodes.values).reduce(Rational(0)) {
        $0 + ($1.0 / (Rational(1) - Rational($1.1))).magnitude
      }.double
      #expect(abs(nodes.cardinalWeight(at: m) / weight - 1) < 1e-14)
    }
  }

  /// Numbers of the theory, which are those of kernels that are exact at the first H offsets.
  @Test func referenceNumbers() throws {
    for (heads, error) in [(4, 29.0 / 315), (6, 2.0318760718146e-4), (8, 2.5548245682968e-8)] {
      let kernel = try #require(
        LagKernel.interpolating(lag: 2, nodes: .geometric(count: heads)))
      #expect(abs(kernel.error / error - 1) < 1e-12)
    }
    // Equal steps up to .001: lag 2 with two heads, lag 4 with four.
    for (lag, error, weight) in [(2, 0.0015, 4.0e3), (4, 0.0025, 8.5e10)] {
      let nodes = AttentionNodes((1...lag).map { 1e-3 * Double($0) / Double(lag) })
      let kernel = try #require(LagKernel.interpolating(lag: lag, nodes: nodes))
      #expect(abs(kernel.error / error - 1) < 2e-3)
      #expect(abs(kernel.weight / weight - 1) < 6e-3)
    }
  }

  // MARK: - The linear program

  /// The least sum over all vertices, by Cramer's rule, for two unknowns.
  @Test func exchangeFindsTheLeastDeviations() {
    for seed in 0..<60 as Range<UInt64> {
      var stream = RandomStream(seed: seed, purpose: .parameters, index: 2)
      let count = 9
      var rows: [Double] = [1, 0, 0, 1]
      while rows.count < 2 * count { rows.append(2 * stream.uniform() - 1) }
      // Every third problem is full of ties.
      let targets = (0..<count).map { seed % 3 == 0 ? ($0 == 4 ? 1 : 0) : stream.normal() }
      let costs = (0..<count).map { _ in stream.uniform() }
      func sum(_ v: [Double]) -> Double {
        (0..<count).reduce(0) {
          $0 + costs[$1] * abs(targets[$1] - rows[2 * $1] * v[0] - rows[2 * $1 + 1] * v[1])
        }
      }
      var least = Double.infinity
      for a in 0..<count {
        for b in 0..<a {
          let determinant = rows[2 * a] * rows[2 * b + 1] - rows[2 * a + 1] * rows[2 * b]
          least = min(
            least,
            sum([
              (targets[a] * rows[2 * b + 1] - targets[b] * rows[2 * a + 1]) / determinant,
              (targets[b] * rows[2 * a] - targets[a] * rows[2 * b]) / determinant,
            ]))
        }
      }
      let found = sum(
        LeastAbsoluteDeviations.minimiser(
          rows: rows, targets: targets, costs: costs, unknowns: 2))
      #expect(abs(found - least) < 1e-12, "seed \(seed): \(found) beside \(least)")
    }
  }

  /// At v = 0 three residuals vanish; no axis goes down from there, but the diagonal does.
  @Test func tiesDoNotEndTheExchange() {
    let v = LeastAbsoluteDeviations.minimiser(
      rows: [1, 0, 0, 1, 1, -1, 1, 1], targets: [0, 0, 0, 1], costs: [0.1, 0.1, 10, 1], unknowns: 2)
    #expect(v == [0.5, 0.5])
  }

  /// No change of the amplitudes makes the sum of absolute errors smaller.
  @Test func amplitudesAreOptimal() {
    for (lag, heads) in [(1, 3), (2, 3), (2, 6), (3, 5)] {
      let nodes = AttentionNodes.geometric(count: heads)
      let kernel = LagKernel.best(lag: lag, nodes: nodes)
      #expect(abs(kernel.measuredError() - kernel.error) < kernel.roundingAllowance)
      #expect(kernel.error < (LagKernel.interpolating(lag: lag, nodes: nodes)?.error ?? 0))
      for seed in 0..<200 as Range<UInt64> {
        var stream = RandomStream(seed: seed, purpose: .parameters, index: 3)
        let size = exp(-12 * stream.uniform())
        let other = LagKernel(
          lag: lag, nodes: nodes,
          amplitudes: kernel.amplitudes.map { $0 * (1 + size * stream.normal()) })
        #expect(other.measuredError() > kernel.error - kernel.roundingAllowance)
      }
    }
  }

  /// Π(1 − q_h) ≥ ½ is when no exchange pays.
  @Test func interpolationIsOptimalForSmallNodes() throws {
    for values in [[0.2, 0.1, 0.05], [0.01, 0.3, 0.02]] {
      let nodes = AttentionNodes(values)
      #expect(nodes.tailSums.allSatisfy { $0 <= 1 })
      for lag in 1...3 {
        let best = LagKernel.best(lag: lag, nodes: nodes)
        let exact = try #require(LagKernel.interpolating(lag: lag, nodes: nodes))
        #expect(abs(best.error / exact.error - 1) < 1e-10)
      }
    }
  }

  @Test(arguments: [(1, 2), (1, 3), (2, 3), (3, 4), (2, 5)])
  func fewerHeadsThanTheLagAreWorthNothing(heads: Int, lag: Int) {
    for seed in 0..<20 as Range<UInt64> {
      var stream = RandomStream(seed: seed, purpose: .parameters, index: 4)
      let nodes = AttentionNodes((0..<heads).map { _ in 0.98 * stream.uniform() })
      let kernel = LagKernel.best(lag: lag, nodes: nodes)
      #expect(abs(kernel.error - 1) < 1e-9, "seed \(seed)")
      #expect(LagKernel.interpolating(lag: lag, nodes: nodes) == nil)
    }
  }

  @Test func budgetsAreKept() {
    let nodes = AttentionNodes.geometric(count: 5)
    var last = 1.0
    for budget in [0.01, 0.5, 1, 3, 10, 30, 100, 300, 1e3, 1e6] {
      let kernel = LagKernel.best(lag: 2, nodes: nodes, budget: budget)
      #expect(kernel.weight <= budget * (1 + 1e-12))
      #expect(kernel.error <= last + 1e-12, "budget \(budget)")
      // Amplitudes and error belong to the same kernel.
      #expect(abs(kernel.measuredError() - kernel.error) < kernel.roundingAllowance)
      last = kernel.error
      // Zero is never all that a budget can buy: a share of any kernel is better.
      #expect(kernel.error < 1 && kernel.weight > 0.9 * min(budget, 200))
    }
    // The least error without a budget, and above it a budget that binds.
    #expect(last == LagKernel.best(lag: 2, nodes: nodes).error)
    let half = LagKernel.best(lag: 2, nodes: nodes, budget: 20)
    #expect(half.weight > 19.99 && half.error > last)
  }

  // MARK: - Nodes

  /// With two heads the smaller node goes to 0: error q/(1 − q) at weights (1 + 1/(1 − q))/q.
  @Test(arguments: [50.0, 4.003e3, 1e6])
  func twoHeadsForLagTwo(budget: Double) {
    let kernel = LagKernel.best(
      lag: 2, heads: 2, nodes: .optimised, budget: budget, largestRate: 60)
    var q = 2 / budget
    for _ in 0..<100 { q = (1 + 1 / (1 - q)) / budget }
    #expect(kernel.error <= q / (1 - q) * (1 + 1e-6), "\(kernel.error)")
    #expect(kernel.error >= q / (1 - q) * (1 - 1e-3))
    #expect(abs(kernel.weight / budget - 1) < 1e-6)
  }

  /// Nodes ε(0, 1/3, 1) are best where weights are large, with the error 4/√(Σ|weights|).
  @Test func threeHeadsForLagThree() {
    let kernel = LagKernel.best(
      lag: 3, heads: 3, nodes: .optimised, budget: 1e8, largestRate: 60)
    #expect(abs(kernel.error * 1e4 / 4 - 1) < 2e-3, "\(kernel.error)")
    #expect(abs(kernel.nodes.values[1] / kernel.nodes.values[0] - 1.0 / 3) < 1e-2)
  }

  @Test(arguments: [(2, 3, 100.0), (2, 4, 1e4), (3, 4, 1e5)])
  func randomNodesAreNotBetter(lag: Int, heads: Int, budget: Double) throws {
    let best = LagKernel.best(
      lag: lag, heads: heads, nodes: .optimised, budget: budget, largestRate: 40)
    #expect(best.weight <= budget * (1 + 1e-6))
    var stream = RandomStream(seed: 6, purpose: .parameters, index: 5)
    for _ in 0..<3000 {
      let scale = exp(-8 * stream.uniform())
      let nodes = AttentionNodes((0..<heads).map { _ in scale * stream.uniform() })
      let kernel = try #require(LagKernel.interpolating(lag: lag, nodes: nodes))
      if kernel.weight <= budget { #expect(kernel.error > best.error * (1 - 1e-3)) }
    }
  }

  @Test func moreHeadsAndLargerWeightsHelp() {
    var last: [Double] = []
    for heads in [2, 3, 4, 6] {
      let errors = [1e2, 1e4, 1e6].map {
        LagKernel.best(lag: 2, heads: heads, nodes: .optimised, budget: $0, largestRate: 40).error
      }
      #expect(zip(errors, errors.dropFirst()).allSatisfy { $0 > $1 })
      // With small weights further heads are of no use.
      #expect(zip(last, errors).allSatisfy { $0 >= $1 })
      #expect(last.isEmpty || last[2] > 1e3 * errors[2])
      last = errors
    }
  }

  // MARK: - Rounding

  /// Beyond the floor a kernel in double precision is as wrong as its weights are large.
  @Test func theRoundingFloorIsReal() {
    var ratios: [Double] = []
    for budget in [1e6, 1e8, 1e10, 1e12] {
      let kernel = LagKernel.best(
        lag: 3, heads: 8, nodes: .optimised, budget: budget, largestRate: 30)
      let measured = kernel.measuredError()
      #expect(measured <= kernel.error + kernel.roundingAllowance)
      #expect(kernel.error < kernel.roundingFloor)
      ratios.append(measured / kernel.roundingFloor)
    }
    // Never exceeded by much; sums may be exact by chance, but not all of them.
    #expect(ratios.allSatisfy { $0 < 3 } && ratios.count { $0 > 0.05 } >= 2, "\(ratios)")
  }

  // MARK: - Positions

  @Test func theSoftmaxFoldsTheKernel() throws {
    let nodes = AttentionNodes([0.8, 0.55, 0.3])
    for lag in 1...3 {
      let kernel = try #require(LagKernel.interpolating(lag: lag, nodes: nodes))
      for s in (lag + 1)...40 {
        let period = s - 1
        var distance = 0.0
        for j in 0..<period {
          var folded = 0.0
          for turn in 0..<400 {
            for (amplitude, q) in zip(kernel.amplitudes, nodes.values) {
              folded += amplitude * pow(q, Double(j + turn * period))
            }
          }
          distance += abs(folded - (j == lag - 1 ? 1 : 0))
        }
        let measured = kernel.measuredError(at: s)
        #expect(abs(measured - distance) < 1e-12)
        #expect(measured <= kernel.error + kernel.roundingAllowance)
      }
    }
  }

  @Test func studiesDoNotDependOnTheThreads() {
    let study = LagStudy(
      lag: 2, heads: [1, 2, 4], choices: LagKernel.NodeChoice.allCases, budgets: [10, 1e4],
      largestRate: 30, positions: [2, 3, 9])
    let rows = study.rows(threads: 1) { false }
    #expect(rows.count == 12)
    #expect(rows == study.rows(threads: 2) { false })
    #expect(rows.allSatisfy { $0.result.holds && $0.lowerBound?.holds != false })
    let positions = study.positionRows(of: rows)
    #expect(positions.map(\.position) == [3, 9, 3, 9])
    #expect(positions.allSatisfy { $0.result.holds })
  }
}
