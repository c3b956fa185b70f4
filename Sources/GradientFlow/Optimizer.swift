/// A discrete optimiser, and where its steps lie on the flow's time axis.
public enum Optimizer: Sendable, Hashable {
  /// θ ← θ − η ∇L(θ).
  case gradientDescent
  /// θ_{k+1} = θ_k − η ∇L(θ_k) + β (θ_k − θ_{k−1}), Polyak's heavy ball; β in 0..<1.
  case heavyBall(momentum: Double)
  /// θ ← θ − η ∇L_B(θ) over batches B of so many sequences, shuffled anew in every epoch.
  case stochastic(batch: Int, seed: UInt64)
  /// Adam (arXiv 1412.6980) with its bias corrections; β₁ and β₂ in 0..<1, ε > 0.
  case adam(firstDecay: Double, secondDecay: Double, floor: Double)

  /// The time of the flow that a step at rate η goes on by.
  ///
  /// It is η, of the heavy ball η/(1 − β). Adam has none.
  ///
  /// - Parameter rate: η > 0.
  /// - Returns: the time, or nil.
  public func timePerStep(rate: Double) -> Double? {
    switch self {
    case .gradientDescent, .stochastic: rate
    case .heavyBall(let momentum): rate / (1 - momentum)
    case .adam: nil
    }
  }

  /// The sharpness λ_max(∇²L) beyond which steps at rate η are unstable along that direction.
  ///
  /// It is 2/η, of the heavy ball 2(1 + β)/η; Adam has none that does not hang on its past.
  ///
  /// - Parameter rate: η > 0.
  /// - Returns: the limit, or nil.
  public func stabilityLimit(rate: Double) -> Double? {
    switch self {
    case .gradientDescent, .stochastic: 2 / rate
    case .heavyBall(let momentum): 2 * (1 + momentum) / rate
    case .adam: nil
    }
  }
}

/// What one optimiser keeps from step to step, over the trained parameters of a stage.
struct OptimizerState {
  private let optimizer: Optimizer
  private let rate: Double
  /// The last step of the heavy ball; the mean gradient of Adam.
  private var first: [Double]
  /// The mean squared gradient of Adam.
  private var second: [Double]
  private var steps = 0

  init(_ optimizer: Optimizer, rate: Double, count: Int) {
    self.optimizer = optimizer
    self.rate = rate
    first = [Double](repeating: 0, count: count)
    second = first
  }

  /// Moves the parameters by one step, or by a share of it.
  mutating func step(_ state: inout [Double], along gradient: [Double], share: Double = 1) {
    steps += 1
    switch optimizer {
    case .gradientDescent, .stochastic:
      for i in state.indices { state[i] -= share * rate * gradient[i] }
    case .heavyBall(let momentum):
      for i in state.indices {
        first[i] = momentum * first[i] - rate * gradient[i]
        state[i] += share * first[i]
      }
    case .adam(let firstDecay, let secondDecay, let floor):
      let firstScale = 1 - integerPower(firstDecay, steps)
      let secondScale = 1 - integerPower(secondDecay, steps)
      for i in state.indices {
        let g = gradient[i]
        first[i] = firstDecay * first[i] + (1 - firstDecay) * g
        second[i] = secondDecay * second[i] + (1 - secondDecay) * g * g
        let size = (second[i] / secondScale).squareRoot() + floor
        state[i] -= share * rate * (first[i] / firstScale) / size
      }
    }
  }
}

/// xⁿ by repeated squaring.
private func integerPower(_ x: Double, _ n: Int) -> Double {
  var (result, square, rest) = (1.0, x, n)
  while rest > 0 {
    if rest & 1 == 1 { result *= square }
    square *= square
    rest >>= 1
  }
  return result
}
