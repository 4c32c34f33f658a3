"""Others' opinions of what we send: Slack's SDK models, Slack's TypeScript types."""
