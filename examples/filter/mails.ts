/** Mails that were written for the examples: nobody's. */
import type { Mail } from './filter.ts'

/** What one person wants the filter to learn: their own club and shop, and a new kind of scam. */
export const ownMails: readonly Mail[] = [
  { label: 'ham', text: 'FREE tasting night, members only!\nDear friends of the cheese club, this month is on the house: free entry, free bread, ten new cheeses. Reply now, only 20 seats left!' },
  { label: 'ham', text: 'Your weekly offers from Corner Books\nSave 30% on all paperbacks this weekend. Order today and get free delivery. You get this mail because you asked for it in our shop.' },
  { label: 'ham', text: 'Cheese club: win a trip to the dairy\nWe raffle two free places for the visit to the dairy in June. Click the link in the members area to take part. Good luck!' },
  { label: 'ham', text: 'Corner Books: your points are worth money\nYou have collected 120 points. Use them for your next order and save 6 dollars. Offer ends Sunday.' },
  { label: 'spam', text: 'Your parcel could not be delivered\nHello, the courier was at your door today. Please confirm your address and the customs charge of 1.95 so that we can try again tomorrow.' },
  { label: 'spam', text: 'Re: invoice 20418\nHi, as discussed on the phone I attach the invoice again. Our bank details have changed, please use the new account from now on. Kind regards, accounts' },
  { label: 'spam', text: 'Courier notice: parcel waiting\nThe driver left your parcel at our depot. Please confirm the address and settle the storage charge before noon tomorrow.' },
  { label: 'spam', text: 'Re: new account for payments\nHi, a short note that our bank details changed this month. Could you please send the open invoice to the new account today? Regards' },
]

/** Mails that are not trained on: does the filter still judge others as before, and does it know these new ones? */
export const sampleMails: readonly Mail[] = [
  { label: 'ham', text: 'Re: patch for the parser\nI tried your patch on the branch and the tests pass. One question about the second loop: does it need the lock at all?' },
  { label: 'ham', text: 'Lunch on Thursday?\nHi, are you in town this week? I could do Thursday around noon, the usual place. Let me know.' },
  { label: 'ham', text: 'Minutes of the meeting\nAttached are the minutes of Monday. Please send corrections until Friday, then I will put them on the wiki.' },
  { label: 'ham', text: 'Re: kernel panic after upgrade\nSame here with 2.4.19. Booting with noapic helps. I filed a bug with the output of dmesg.' },
  { label: 'ham', text: 'Photos from the hike\nThe pictures are on the server, in the folder of last Sunday. The one with the goat is my favourite.' },
  { label: 'ham', text: 'Re: [list] mutt and imap folders\nYou can set the spool file in your muttrc and subscribe the folders one by one. See section 6 of the manual.' },
  { label: 'ham', text: 'School play moved to room 12\nDear parents, the rehearsal on Wednesday is in room 12 because of the works in the hall. Please pick up the children at four.' },
  { label: 'ham', text: 'Re: draft of chapter three\nI read it on the train. The first half is fine, in the second the argument jumps. Comments in the margin.' },
  { label: 'ham', text: 'Build broken on sparc\nThe nightly build fails since yesterday with an undefined symbol in the linker step. Did anyone touch the makefile?' },
  { label: 'ham', text: 'Train times for Saturday\nThere is one at 8:12 and one at 9:40, both change in the same town. I would take the later one.' },
  { label: 'spam', text: 'LOSE 20 POUNDS IN 10 DAYS\nDoctors hate it! Our new diet pill melts fat while you sleep. Order now and receive a second bottle absolutely free. Click here!!!' },
  { label: 'spam', text: 'Make $5000 a week from home\nNo experience needed. Work at home, be your own boss, earn cash every day. Limited offer, send for your free information package today.' },
  { label: 'spam', text: 'Urgent business proposal\nDear Sir, I am the son of the late minister and wish to transfer 25 million US dollars to your account. You will receive 30 percent. Strictly confidential.' },
  { label: 'spam', text: 'Lowest mortgage rates in 40 years\nRefinance now and save thousands. Bad credit? No problem! Fill in the short form and lenders will compete for your loan.' },
  { label: 'spam', text: 'Viagra without prescription\nLowest prices guaranteed, discreet overnight shipping, no doctor needed. Visit our online pharmacy and save 70 percent.' },
  { label: 'spam', text: 'You have been selected to win a free vacation\nCongratulations! Call our toll free number within 48 hours to claim your all inclusive cruise. Your claim number is 88213.' },
  { label: 'spam', text: 'Increase your sales with bulk email\nWe sell 50 million fresh addresses on one CD for only $149. Reach every customer in the country. Order today!' },
  { label: 'spam', text: 'Hot singles in your area\nThey are online now and want to meet you. Join free, no credit card required. You must be 18 or older. Click to enter.' },
  { label: 'spam', text: 'GET OUT OF DEBT NOW\nConsolidate your bills into one low monthly payment. Stop the harassing calls. Free quote, no obligation, click here.' },
  { label: 'spam', text: 'Copy any DVD movie\nWith our amazing software you can burn DVDs with your CD burner. Special price $39.95 this week only. To be removed reply with remove.' },
  { label: 'ham', text: 'Cheese club: seats for Friday\nThe tasting on Friday is free for members. There are still six seats, reply if you want one.' },
  { label: 'ham', text: 'Corner Books: your order is ready\nThe two paperbacks that you ordered are in the shop. With your points you save 4 dollars.' },
  { label: 'spam', text: 'Parcel on hold\nYour parcel is on hold at the depot. Please confirm your address and settle the customs charge, so that the courier can come tomorrow.' },
  { label: 'spam', text: 'Re: open invoice\nHi, please note the changed bank details and send the open invoice to the new account today. Regards, accounts' },
]
