// swift-tools-version: 6.2
// Programs with faults in them: what the sanitizers do not report here, they do not see in gradflow either.

import PackageDescription

let package = Package(
  name: "faults",
  targets: [
    .target(name: "CFaults"),
    .executableTarget(name: "faults", dependencies: ["CFaults"]),
  ])
