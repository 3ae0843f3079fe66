interface SparkProps {
  /** What it shows, for who cannot see it. */
  label: string
  /** From the oldest to the newest. */
  values: readonly number[]
  /** The scale goes up to this value at least: small changes are shown as small. */
  least: number
}

const width = 100
const height = 20

/** A line without axes, as wide as its place. */
export function Spark({ label, values, least }: SparkProps) {
  if (values.length < 2) return null
  const top = Math.max(least, ...values)
  const points = values.map((value, i) => {
    const x = (i / (values.length - 1)) * width
    return `${x.toFixed(1)},${(height - 1 - (value / top) * (height - 2)).toFixed(1)}`
  })
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <polyline points={points.join(' ')} />
    </svg>
  )
}
