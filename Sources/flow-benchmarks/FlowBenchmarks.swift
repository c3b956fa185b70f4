import ArgumentParser

/// Timings and work counts; never a test.
@main
struct FlowBenchmarks: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flow-benchmarks", abstract: "Timings and work counts of gradflow.",
    subcommands: [GradientBenchmark.self, Survey.self])
}
