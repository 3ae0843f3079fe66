/** Where the page is when nothing else is asked for. */
export const defaultDashboardPort = 8081
