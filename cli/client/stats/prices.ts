/** The month of these prices, in US dollars, without tax and without the free tier. */
export const pricesOf = '2025-06'

export interface Prices {
  /** A GB-second of an x86_64 function. */
  gbSecond: number
  /** A start of a function. */
  request: number
  /** S3: a PUT, and a GET. */
  put: number
  get: number
  /** A GB (10^9 bytes) out to the internet, in the first tier. */
  gbOut: number
}

/** The region whose prices stand in for those of one that is not listed. */
export const referenceRegion = 'us-east-1'

export const referencePrices: Prices = {
  gbSecond: 0.000_016_666_7,
  request: 0.000_000_2,
  put: 0.000_005,
  get: 0.000_000_4,
  gbOut: 0.09,
}

/** What differs from the reference, by region. */
const differences: Record<string, Partial<Prices>> = {
  'us-east-1': {},
  'us-east-2': {},
  'us-west-1': { put: 0.000_005_5, get: 0.000_000_44 },
  'us-west-2': {},
  'ca-central-1': { put: 0.000_005_5, get: 0.000_000_44 },
  'eu-west-1': {},
  'eu-west-2': { put: 0.000_005_3, get: 0.000_000_42 },
  'eu-west-3': { put: 0.000_005_3, get: 0.000_000_42 },
  'eu-central-1': { put: 0.000_005_4, get: 0.000_000_43 },
  'eu-north-1': {},
  'eu-south-1': { gbSecond: 0.000_019_517_2, request: 0.000_000_23, put: 0.000_005_3, get: 0.000_000_42 },
  'ap-south-1': { gbOut: 0.1093 },
  'ap-southeast-1': { gbOut: 0.12 },
  'ap-southeast-2': { put: 0.000_005_5, get: 0.000_000_44, gbOut: 0.114 },
  'ap-northeast-1': { put: 0.000_004_7, get: 0.000_000_37, gbOut: 0.114 },
  'ap-northeast-2': { put: 0.000_004_5, get: 0.000_000_35, gbOut: 0.126 },
  'ap-northeast-3': { put: 0.000_004_7, get: 0.000_000_37, gbOut: 0.114 },
  'ap-east-1': { gbSecond: 0.000_022_92, request: 0.000_000_28, gbOut: 0.12 },
  'sa-east-1': { put: 0.000_007, get: 0.000_000_56, gbOut: 0.15 },
  'af-south-1': {
    gbSecond: 0.000_022_1,
    request: 0.000_000_27,
    put: 0.000_006,
    get: 0.000_000_5,
    gbOut: 0.154,
  },
  'me-south-1': {
    gbSecond: 0.000_020_666_7,
    request: 0.000_000_25,
    put: 0.000_005_5,
    get: 0.000_000_44,
    gbOut: 0.117,
  },
}

/** The prices of a region; undefined where they are not known. */
export const pricesIn = (region: string): Prices | undefined =>
  Object.hasOwn(differences, region) ? { ...referencePrices, ...differences[region] } : undefined

/** What a GB-second on arm64 costs of one on x86_64, in every region. */
export const arm64Share = 0.8
