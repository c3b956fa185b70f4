import DeclaredKeys
import FlowAnalysis
import MixedTargets
import Objectives

// The mixed target: its keys, and what they have to do with each other.

extension ExperimentReader {
  /// Refuses keys and groups of parameters that belong to other families.
  mutating func checkFamily(_ family: ModelFamily) {
    for key in Keys.foreign(to: family) {
      let address = KeyAddress(key)
      guard document.isGiven(address) else { continue }
      let families = ModelFamily.allCases.filter { other in
        !Keys.foreign(to: other).contains { $0.path == key.path }
      }
      document.reject(
        address, found: "the key beside model.family: \(family.rawValue)",
        allowed: "only with \(families.map(\.rawValue).joined(separator: " or "))",
        advice: "remove the key, or write model.family: \(families[0].rawValue)")
    }
    let groups = family.groups
    for index in 0..<(document[Keys.stages]?.count ?? 0) {
      for (place, group) in (document[Keys.train, index] ?? []).enumerated()
      where !groups.contains(group) {
        document.reject(
          Keys.train.address(index).element(place), .notAllowed, found: group.rawValue,
          allowed: groups.map(\.rawValue).joined(separator: " | "),
          advice: "choose among the parameters of model.family: \(family.rawValue)")
      }
    }
    let claims = document[Keys.claims] ?? []
    for (place, claim) in claims.enumerated()
    where !family.judges(claim) {
      document.reject(
        Keys.claims.address().element(place), .notAllowed, found: claim.rawValue,
        allowed: "the claims about model.family: \(family.rawValue)",
        advice:
          "those are \(Claim.allCases.filter { family.judges($0) }.map(\.rawValue).joined(separator: ", "))"
      )
    }
  }

  mutating func mixedTarget() throws(DocumentError) -> MixedTargetSettings {
    checkFamily(.mixedTarget)
    require(Keys.proportion)
    require(Keys.targetWeight)
    checkMixedLoss()
    checkMixedStart()
    try document.finish()
    let dimension = try document.required(Keys.dimension)
    let transformer = MixedTransformer(
      dimension: dimension, isTied: try document.required(Keys.isTied))
    let induction = try document.required(Keys.induction)
    return MixedTargetSettings(
      target: MixedTarget(
        proportion: try document.required(Keys.proportion),
        weight: try document.required(Keys.targetWeight), form: try document.required(Keys.form),
        dimension: dimension, length: document[Keys.length]),
      transformer: transformer, induction: induction,
      sequences: induction == .reduced ? nil : try document.required(Keys.sequences),
      seed: try document.required(Keys.dataSeed), start: try mixedStart(transformer))
  }

  private var trainsFirstLayer: Bool {
    (0..<(document[Keys.stages]?.count ?? 0)).contains {
      document[Keys.train, $0]?.contains(.firstRate) == true
    }
  }

  private func mixedStart(_ transformer: MixedTransformer) throws(DocumentError) -> MixedStart {
    if let file = document[Keys.initialFile] { return .file(absolute(file)) }
    let size = try document.required(Keys.sigma)
    let entries = document[Keys.values] ?? []
    return .values(
      size: size,
      firstRate: document[Keys.firstRate] ?? (trainsFirstLayer ? size : .infinity),
      exceptions: Dictionary(entries.map { ($0.name, $0.value) }) { first, _ in first })
  }

  private mutating func checkMixedLoss() {
    if let length = document[Keys.length], length < 4 {
      document.reject(
        Keys.length.address(), .notAllowed, found: "\(length)",
        allowed: "an integer ≥ 4, or no key for infinite length",
        advice: "the 4-gram part needs x_{L−2} and a token before it")
    }
    if let weight = document[Keys.targetWeight], !(1e-3...10).contains(weight) {
      document.reject(
        Keys.targetWeight.address(), .notAllowed, found: "\(weight)",
        allowed: "a real number in 0.001...10",
        advice: "below, nothing is compared within any time; above, a single token is attended to")
    }
    let hasLength = document.isGiven(Keys.length.address())
    switch document[Keys.induction] {
    case .reduced?:
      for address in [Keys.sequences.address(), Keys.dataSeed.address()]
      where document.isGiven(address) {
        document.reject(
          address, found: "the key beside loss.induction: reduced",
          allowed: "only where tokens are sampled",
          advice: "remove the key, or write loss.induction: tabulated or sampled")
      }
      if let weight = document[Keys.targetWeight], weight >= MixedTarget.thresholdWeight, hasLength
      {
        document.reject(
          Keys.targetWeight.address(), .notAllowed, found: "\(weight) with loss.induction: reduced",
          allowed: "below 2^(−1/4) ≈ 0.8409, where E e^{2 w*⁴ x²} is finite",
          advice:
            "beyond it the softmax is dominated by single tokens and there is no leading order "
            + "in 1/N; write loss.induction: tabulated")
      }
    case .tabulated?, .sampled?:
      require(Keys.sequences, advice: "add the size of the sample")
      // Sixteen parts of a table and eight of a sample, each of whole chunks of eight sequences.
      if let count = document[Keys.sequences], !(128...1 << 31).contains(count) {
        document.reject(
          Keys.sequences.address(), .notAllowed, found: "\(count)",
          allowed: "an integer in 128...2147483648",
          advice: count < 128
            ? "parts of the sample tell its error; use at least 128 sequences"
            : "use fewer sequences")
      }
      require(Keys.length, advice: "add the length: only the 4-gram part has an infinite one")
      if let dimension = document[Keys.dimension], dimension > 1 {
        document.reject(
          Keys.dimension.address(),
          found: "\(dimension) with loss.induction: "
            + "\(document[Keys.induction]?.rawValue ?? "")",
          allowed: "1, because only the loss to leading order has several dimensions",
          advice: "write loss.induction: reduced, or model.dimension: 1")
      }
    case nil: break
    }
    guard document[Keys.induction] == .tabulated else { return }
    for index in 0..<(document[Keys.stages]?.count ?? 0)
    where document[Keys.train, index]?.contains(.firstRate) == true {
      document.reject(
        Keys.train.address(index), found: "p1 with loss.induction: tabulated",
        allowed: "stages that leave p1 alone: the table is made for p₁ = ∞",
        advice: "write loss.induction: sampled, or reduced")
    }
    if document.isGiven(Keys.firstRate.address()) {
      document.reject(
        Keys.firstRate.address(), found: "the key beside loss.induction: tabulated",
        allowed: "no key: the table is made for p₁ = ∞",
        advice: "write loss.induction: sampled, or reduced")
    }
  }

  private mutating func checkMixedStart() {
    if document.isGiven(Keys.initialFile.address()) {
      for address in [
        Keys.sigma.address(), Keys.firstRate.address(), Keys.values.address(),
      ] where document.isGiven(address) {
        document.reject(
          address, found: "the key beside initial.file", allowed: "initial.file alone",
          advice: "remove one of the two")
      }
      return
    }
    require(Keys.sigma)
    if let sigma = document[Keys.sigma], sigma < 1e-15 {
      document.reject(
        Keys.sigma.address(), .notAllowed, found: "\(sigma)",
        allowed: "a real number ≥ 1e-15: at 0 every parameter is at rest",
        advice:
          "all gradients vanish there, and growth from much less than the absolute tolerance is not "
          + "resolved; start at a small value such as 1e-4")
    }
    guard let dimension = document[Keys.dimension], let isTied = document[Keys.isTied] else {
      return
    }
    let names = MixedTransformer(dimension: dimension, isTied: isTied).layout.names
    for entry in document[Keys.values] ?? [] where !names.contains(entry.name) || entry.name == "p1"
    {
      document.reject(
        Keys.values.address().entry(entry.name), .notAllowed, found: "a parameter the model lacks",
        allowed: names.dropFirst().joined(separator: ", "),
        advice: entry.name == "p1" ? "write initial.first_rate" : "choose one of these names")
    }
  }
}
