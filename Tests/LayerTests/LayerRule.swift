// The rules of the architecture, each with a change that breaks it.

import Testing

/// A rule that the sources and the manifest keep.
struct LayerRule: Sendable, CustomTestStringConvertible {
  let statement: String

  /// One sentence for each place where the rule is broken.
  let violations: @Sendable (PackageText) -> [String]

  /// A change to the package that breaks the rule, so that a rule that sees nothing is noticed.
  let breach: @Sendable (PackageText) -> PackageText

  var testDescription: String { statement }

  static let all =
    imports + [
      printing, writing, solving, order, listing, responsibilities, folders, length, unfinished,
    ]

  // MARK: - Who may import what

  private static let models: Set<String> = ["InductionHeads", "MixedTargets"]

  private static let imports = [
    only("CVODE", imports: "CNumerics.Sundials"),
    only("LinearAlgebra", imports: "CNumerics.LAPACK"),
    LayerRule(
      statement: "C libraries are imported one by one, not as a whole",
      violations: { package in
        offenders(package) { $0.imports.contains("CNumerics") ? "imports all of CNumerics" : nil }
      },
      breach: { $0.adding("Sources/CVODE/X.swift", "import CNumerics\n") }),
    none(of: models, in: "GradientFlow"),
    none(of: ["CVODE", "Experiments"], in: "FlowAnalysis"),
    none(of: ["CVODE", "GradientFlow"], in: "InductionHeads"),
    none(of: ["CVODE", "GradientFlow"], in: "MixedTargets"),
  ]

  private static func only(_ target: String, imports module: String) -> LayerRule {
    LayerRule(
      statement: "only \(target) imports \(module)",
      violations: { package in
        offenders(package) {
          $0.target != target && $0.imports.contains(module) ? "imports \(module)" : nil
        }
      },
      breach: { $0.adding("Sources/Corpora/X.swift", "public import \(module)\n") })
  }

  private static func none(of modules: Set<String>, in target: String) -> LayerRule {
    LayerRule(
      statement: "\(target) does not import \(modules.sorted().joined(separator: " or "))",
      violations: { package in
        offenders(package) { file in
          guard file.target == target else { return nil }
          let found = modules.intersection(file.importedModules).sorted()
          return found.isEmpty ? nil : "imports \(found.joined(separator: ", "))"
        }
      },
      breach: { package in
        modules.sorted().reduce(package) {
          $0.adding("Sources/\(target)/\($1).swift", "import struct \($1).X\n")
        }
      })
  }

  // MARK: - Who may do what

  private static let printing = LayerRule(
    statement: "only the programs print",
    violations: { package in
      offenders(package) { file in
        guard !["gradflow", "flow-benchmarks"].contains(file.target) else { return nil }
        return file.firstUse(
          of: [
            "print(", "debugPrint(", "dump(", "printf(", "fprintf(", "vprintf(", "vfprintf(",
            "puts(", "fputs(", "putchar(", "stdout", "stderr", "STDOUT_FILENO", "STDERR_FILENO",
          ],
          pairs: [["FileHandle", "standardOutput"], ["FileHandle", "standardError"]]
        ).map { "has \($0)" }
      }
    },
    breach: { $0.adding("Sources/FlowAnalysis/X.swift", "func f() { print(1) }\n") })

  private static let solving = LayerRule(
    statement: "analysis runs no solver",
    violations: { package in
      offenders(package) { file in
        guard file.target == "FlowAnalysis" else { return nil }
        return file.firstUse(of: ["FlowSolver(", ".solve("], pairs: []).map { "has \($0)" }
      }
    },
    breach: { package in
      package.adding(
        "Sources/FlowAnalysis/X.swift", "let t = FlowSolver().solve(problem, sampling: s)\n")
    })

  private static let writing = LayerRule(
    statement: "only RunRecords writes files",
    violations: { package in
      offenders(package) { file in
        guard file.target != "RunRecords" else { return nil }
        return file.firstUse(
          of: [
            "createFile(", "createDirectory(", "createSymbolicLink(", "moveItem(", "copyItem(",
            "removeItem(", "fopen(", "O_WRONLY", "O_RDWR", "O_CREAT", "forWritingTo",
            "forWritingAtPath", "forUpdating", "forUpdatingAtPath", "OutputStream(",
          ],
          pairs: [["write(", "to"]]
        ).map { "has \($0)" }
      }
    },
    breach: { package in
      package.adding("Sources/gradflow/X.swift", "func f() { data.write(to: url) }\n")
        .adding("Sources/CVODE/X.swift", "let file = open(path, O_CREAT)\n")
    })

  // MARK: - The manifest is the map

  private static let order = LayerRule(
    statement: "a target imports and lists only targets that stand above it",
    violations: { package in
      let names = package.targets.map(\.name)
      return package.targets.enumerated().flatMap { index, target in
        let below = Set(names[index...])
        let imported = package.files.filter { $0.target == target.name }
          .flatMap { file in file.importedModules.map { (file.path, $0) } }
        let listed = target.dependencies.map { ("the manifest, at \(target.name)", $0) }
        return (imported + listed).filter { below.contains($0.1) }
          .map { "\($0.0): \($0.1) does not stand above \(target.name)" }
      }
    },
    breach: { $0.adding("Sources/Objectives/X.swift", "import GradientFlow\n") })

  private static let listing = LayerRule(
    statement: "a target lists all modules of the package that it imports",
    violations: { package in
      let targets = package.targets
      let names = Set(targets.map(\.name))
      return targets.flatMap { target in
        package.files.filter { $0.target == target.name }.flatMap { file in
          Set(file.importedModules).intersection(names).subtracting(target.dependencies)
            .map { "\(file.path): \(target.name) does not list \($0) in the manifest" }
        }
      }
    },
    breach: { $0.adding("Sources/GradientFlow/X.swift", "import Corpora\n") })

  private static let responsibilities = LayerRule(
    statement: "the manifest says in one line what each target is for",
    violations: { package in
      package.targets.filter { !$0.isTest && ($0.responsibility ?? "").isEmpty }
        .map { "the manifest: \($0.name) has no comment behind its parenthesis" }
    },
    breach: { $0.replacingInManifest("(  // dense matrices", with: "(") })

  private static let folders = LayerRule(
    statement: "the folders of Sources and Tests are the targets of the manifest",
    violations: { package in
      // Programs in Python are no targets.
      let files = package.files.filter {
        !$0.path.hasPrefix("plots/") && !$0.path.hasPrefix("Tests/engines/")
      }
      let found = Set(files.map { $0.path.split(separator: "/").prefix(2).joined(separator: "/") })
      let stated = Set(package.targets.map(\.folder))
      return found.symmetricDifference(stated).sorted().map {
        "\($0): " + (stated.contains($0) ? "has no sources" : "is no target of the manifest")
      }
    },
    breach: { $0.adding("Tests/ForgottenTests/X.swift", "import Testing\n") })

  // MARK: - Every file

  private static let length = LayerRule(
    statement: "no file is longer than 400 lines",
    violations: { package in
      package.files.filter { $0.lineCount > 400 }.map { "\($0.path): \($0.lineCount) lines" }
    },
    breach: { $0.adding("Tests/X/X.swift", String(repeating: "\n", count: 401)) })

  private static let unfinished = LayerRule(
    statement: "nothing is left for later",
    violations: { package in
      package.files.filter { file in marks.contains { file.text.contains($0) } }
        .map { "\($0.path): has a mark of unfinished work" }
    },
    breach: { $0.adding("plots/x.py", "# FIX" + "ME\n") })

  /// Put together, so that this file does not hold the words itself.
  private static let marks = ["TO" + "DO", "FIX" + "ME"]

  // MARK: - Helpers

  /// The files under Sources that `check` has something to say about.
  private static func offenders(
    _ package: PackageText, _ check: (SourceFile) -> String?
  ) -> [String] {
    package.files.filter(\.isProduct).compactMap { file in
      check(file).map { "\(file.path): \($0)" }
    }
  }
}
