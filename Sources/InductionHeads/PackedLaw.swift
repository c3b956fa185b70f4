import Corpora

/// μ^π(ω, e) of all chains in the two orders that products read it in, eight values at a time.
///
/// It is packed once, so that no product has to. Places that fill up a vector are zero.
struct PackedLaw: Sendable {
  /// Shape (chunks of eight chains, d, windows, 8).
  private nonisolated(unsafe) let byChains: Buffer
  /// Shape (windows/8 rounded up, chunks, d, 8 chains, 8 windows).
  private nonisolated(unsafe) let byWindows: Buffer
  /// Values of a chunk of eight chains.
  private let chunkLength: Int
  /// Chains and tokens, with those that fill up the last chunk.
  let places: Int
  private let vocabulary: Int

  init(_ law: PopulationLaw) {
    let (d, windows, chains) = (
      law.windows.shape.vocabulary, law.windows.count, law.chainCount
    )
    vocabulary = d
    places = paddedToLanes(chains) * d
    chunkLength = 8 * d * windows
    byChains = Buffer(places * windows)
    byWindows = Buffer(places * paddedToLanes(windows))
    for chain in 0..<chains {
      let (chunk, lane) = (chain / 8, chain % 8)
      for e in 0..<d {
        let row = chunk * d + e
        for window in 0..<windows {
          let value = law.joint[(chain * d + e) * windows + window]
          byChains.pointer[(row * windows + window) * 8 + lane] = value
          byWindows.pointer[(window / 8 * places + row * 8 + lane) * 8 + window % 8] = value
        }
      }
    }
  }

  /// By chains, from one that begins a chunk on.
  func chains(from chain: Int) -> UnsafePointer<Double> {
    UnsafePointer(byChains.pointer + chain / 8 * chunkLength)
  }

  /// By windows, from the places of a chain that begins a chunk on.
  func windows(from chain: Int) -> UnsafePointer<Double> {
    UnsafePointer(byWindows.pointer + chain * vocabulary * 8)
  }
}
