public import DeclaredKeys
public import FlowAnalysis

extension Claim: KeyChoice {}

extension ExperimentKeys {
  static let claims = Key<[Claim]>.choices(
    "claims", [.notEmpty, .distinct], default: .described("none"), sample: "[G1, G2, G3]",
    "The laws that the flow is held against, each with its derived and its measured constant")
}
