import DeclaredKeys
import Experiments
import Foundation
import MarkovChains
import Testing

struct InformationPlanTests {
  /// The plan of the minimal experiment with overrides.
  private static func plan(
    _ overrides: [String] = [], _ options: InformationOptions = InformationOptions(),
    memoryLimit: Int? = nil
  ) throws -> InformationPlan {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("gradflow-plan-\(UInt64.random(in: .min ... .max)).yaml")
    defer { try? FileManager.default.removeItem(at: file) }
    try #require(
      FileManager.default.createFile(
        atPath: file.path, contents: Data(Example.minimal.utf8)))
    return try InformationPlan(
      LoadedExperiment(contentsOf: file.path, overrides: overrides), options: options,
      memoryLimit: memoryLimit)
  }

  @Test func openOptionsAreTakenFromTheExperiment() throws {
    let plan = try Self.plan()
    #expect(plan.window == 3 && plan.largest == 3 && plan.lagSets.count == 7)
    guard case .prior(let prior, let seed, let chains) = plan.source else {
      Issue.record("no prior")
      return
    }
    #expect(prior == DirichletPrior(vocabulary: 3, parents: [1, 2], concentration: 0.1))
    #expect(seed == 1 && chains == 4000)
    // 2^6 sets are all listed, 2^7 are not.
    #expect(try Self.plan([], InformationOptions(window: 6)).largest == 6)
    #expect(try Self.plan([], InformationOptions(window: 7)).largest == 2)
    #expect(try Self.plan([], InformationOptions(window: 7, largest: 7)).lagSets.count == 127)
  }

  @Test(arguments: [
    (["data.parents=[1, 5]"], InformationOptions(), ["model.window", "3 with the parent 5"]),
    ([], InformationOptions(window: 1), ["--window: found 1 with the parent 2", "≥ 2"]),
    ([], InformationOptions(window: 0), ["--window: found 0"]),
    ([], InformationOptions(window: 1025), ["--window: found 1025", "1...1024"]),
    ([], InformationOptions(largest: 4), ["--largest: found 4 with the window 3", "1...3"]),
    ([], InformationOptions(largest: 0), ["--largest: found 0"]),
    ([], InformationOptions(chains: 0), ["--chains: found 0", "a standard error needs two"]),
    ([], InformationOptions(chains: 1), ["--chains: found 1"]),
    ([], InformationOptions(chains: -5), ["--chains: found -5"]),
    (["data.concentration=1e-9"], InformationOptions(), ["data.concentration", "1e-8…1e8"]),
    (
      [], InformationOptions(window: 30),
      ["--window: found a survey of 465 sets with 3^31 probabilities", "PiB", "1.0 GiB"]
    ),
    ([], InformationOptions(window: 1000, largest: 500), ["--window: found a survey of"]),
    (
      [], InformationOptions(chains: 1_000_000_000),
      ["a survey of 7 sets", "GiB", "fewer --chains"]
    ),
    (
      ["data.vocabulary=100", "data.parents=[1, 2]"], InformationOptions(),
      ["data.parents", "a chain of 100^2 states", "at most 4096"]
    ),
  ])
  func whatDoesNotFitIsRefused(
    overrides: [String], options: InformationOptions, says: [String]
  ) {
    let error = #expect(throws: DocumentError.self) {
      try Self.plan(overrides, options, memoryLimit: 1 << 30)
    }
    let message = error?.description ?? ""
    for part in says { #expect(message.contains(part), "\(message)") }
    #expect(message.contains("What to do"))
  }

  @Test func withoutALimitNothingOverflows() {
    #expect(throws: DocumentError.self) { try Self.plan([], InformationOptions(window: 1024)) }
  }
}
